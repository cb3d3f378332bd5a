"""HTTP/1.1 on one connection: uvicorn's, with a shortcut for plain requests past the application."""

import logging
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from assay.service.connections.entrance import Entrance
from assay.service.connections.line import OVERDUE
from assay.service.connections.plain import Peer, PlainRequest, read_plain
from assay.service.connections.refusals import OVERLOADED
from assay.service.envelope import sane_id
from assay.service.exchange import Exchange

logger = logging.getLogger(__name__)

OK = b"HTTP/1.1 200 OK\r\n"


class Shortening(HttpToolsProtocol):
    """One connection whose plain requests are answered by the entrance's shortcut, in their order.

    Neither scope nor task is made for those. What the shortcut leaves goes to the application with all that
    has come of it, as if it had come there at once.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.entrance: Entrance = self.app_state["entrance"]
        self.headers = []
        self._arrived = self._began = time.perf_counter()
        self._crowded = False
        self._begun = False
        """True from a request's first byte to its last."""
        self._plain: PlainRequest | None = None
        """A request that waits for its body, and for the shortcut."""
        self._whole = False
        """True once that request has come whole."""
        self._idle_since = 0.0
        """When the shortcut answered, while nothing has come since."""
        self._peer = Peer("", "", False)
        self._dated: tuple[object, bytes] = (None, b"")
        # With these, uvicorn has more to do for a request than what the shortcut does.
        self._shortens = not (
            self.root_path
            or self.config.proxy_headers
            or self.limit_concurrency is not None
            or (self.access_log and self.access_logger.isEnabledFor(logging.INFO))
        )

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._peer = Peer(
            client=self.client[0] if self.client else "",
            server=self.server[0] if self.server else "",
            https=self.scheme == "https",
        )

    # What arrives

    def on_message_begin(self) -> None:
        # Several requests at once are answered one by one by the application: others get their turn between.
        self._leave_shortcut()
        # The scope is made when it is known that the application answers.
        self.url, self.headers, self._begun = b"", [], True
        self._began = self._arrived

    def on_headers_complete(self) -> None:
        shortcut = self.entrance.shortcut
        if shortcut is not None and self._may_shorten() and shortcut.leads_to(self.url):
            self._plain = read_plain(self.url, self.headers, self._began)
        if self._plain is None:
            self._enter_application()

    def on_body(self, body: bytes) -> None:
        if self._plain is not None:
            self._plain.pieces.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._begun = False
        if self._plain is not None:
            # Answered once all that came with it is read: what follows may be no HTTP, or more requests.
            self._whole = True
        else:
            self._complete_message()

    def _complete_message(self) -> None:
        """Tell the application that its request is whole."""
        self.scope = None  # type: ignore[assignment]
        super().on_message_complete()

    # The shortcut

    def _may_shorten(self) -> bool:
        """Return whether a request whose headers are read could be answered by the shortcut."""
        return (
            self._shortens
            and (self.cycle is None or self.cycle.response_complete)
            and not (self._crowded or self.entrance.draining or self.flow.write_paused)
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
        )

    def _line_up(self) -> None:
        """Let a plain request that has come whole wait for its turn, where there is room."""
        if self._plain is None or not self._whole:
            return
        line = self.entrance.line
        if reason := self.entrance.reason_to_turn_away(line.wait):
            self._turn_away(self._plain, reason)
        else:
            line.join(self._arrived, self._shorten, self.loop)

    def _shorten(self) -> None:
        """Answer the request that waits, turn it away, or hand it to the application."""
        # It may have gone there meanwhile: its client left, or has sent more.
        if self._plain is None or not self._whole:
            return
        waited = time.perf_counter() - self._arrived
        if reason := self.entrance.reason_to_turn_away(waited / OVERDUE):
            self._turn_away(self._plain, reason)
            return
        answer = self._answer_of(self._plain)
        if answer is None:
            self._leave_shortcut()
            return
        headers = self.server_state.default_headers
        if headers is not self._dated[0]:
            # Made anew once a second, for the date in it.
            self._dated = headers, OK + b"".join(b"%b: %b\r\n" % header for header in headers)
        self._finish(self._dated[1] + answer)

    def _answer_of(self, request: PlainRequest) -> bytes | None:
        shortcut = self.entrance.shortcut
        if shortcut is None or self.entrance.draining:
            return None
        try:
            return shortcut.answer(request, self._peer)
        except Exception:
            # The edge: the application breaks at it too, and answers with the error that there is for that.
            logger.exception("The shortcut failed at a request of %s", self._peer.client or "nobody")
            return None

    def _turn_away(self, request: PlainRequest, reason: str) -> None:
        """Refuse a request: it must cost far less than an answer, or there are no answers in a crowd."""
        if self.entrance.draining:
            self._leave_shortcut()
            return
        request_id = sane_id(request.headers.get("x-request-id", ""))
        self._finish(OVERLOADED.answer(request_id, close=False))
        self.entrance.note_refusal(reason)
        if self.entrance.log is not None:
            exchange = Exchange(
                request_id=request_id,
                method="POST",
                path=request.url.decode("ascii"),
                address=self._peer.client,
                status=OVERLOADED.status,
                code=OVERLOADED.code,
                seconds=time.perf_counter() - self._arrived,
            )
            self.entrance.log.write(exchange)

    def _finish(self, answer: bytes) -> None:
        """Send the answer to the request that waits."""
        self.transport.write(answer)
        self._plain, self._whole, self._idle_since = None, False, self._arrived
        self.server_state.total_requests += 1

    def _leave_shortcut(self) -> None:
        """Let the application answer a request that was read for the shortcut, with as much as has come."""
        if self._plain is not None:
            body, whole = self._plain.body, self._whole
            self._plain, self._whole = None, False
            self._enter_application()
            if body:
                super().on_body(body)
            if whole:
                self._complete_message()

    def _enter_application(self) -> None:
        """Hand a request whose headers are read to the application."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers += headers
        self.expect_100_continue = any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in headers
        )
        self.scope["state"]["arrived"] = self._began
        super().on_headers_complete()
