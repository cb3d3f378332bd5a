"""An MLflow server behind a proxy that can fail at one request."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import httpx

Fault = Literal["cut", "cut after", "stall", "500", "lie"]


class Proxy(ThreadingHTTPServer):
    """Hands requests on and counts them; ``fault`` befalls the one whose number is ``fatal``.

    ``cut`` closes the connection unanswered, ``cut after`` does when the server has acted, ``stall`` never
    answers while ``patience`` is unset, ``500`` answers for the server, ``lie`` says that
    all was done. ``watch`` is told of every request.
    """

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = target
        self.fault: Fault = "cut"
        self.fatal = 0
        self.seen: list[str] = []
        self.patience = threading.Event()
        self.watch: Callable[[str], None] = lambda _: None

    @property
    def uri(self) -> str:
        """The address to name as the registry's."""
        return f"http://127.0.0.1:{self.server_port}"

    def arm(self, fault: Fault, fatal: int) -> None:
        """Let a fault befall a request from now on, counted from 1; none with 0."""
        self.fault, self.fatal, self.seen = fault, fatal, []


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_one_request(self) -> None:
        """Leave quietly when the client has gone, as it does from a server that stalls."""
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        """Hand on a request, or let the fault befall it."""
        proxy, body = self.server, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what = f"{self.command} {self.path.partition('?')[0]}"
        proxy.seen.append(what)
        proxy.watch(what)
        fault = proxy.fault if len(proxy.seen) == proxy.fatal else None
        if fault == "cut":
            self.close_connection = True
            return
        if fault == "stall":
            proxy.patience.wait()
            self.close_connection = True
            return
        if fault == "500":
            self.answer(500, "text/plain", b"out of order")
            return
        if fault == "lie":
            self.answer(200, "application/json", b"{}")
            return
        kind = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        found = httpx.request(self.command, proxy.target + self.path, content=body, headers=kind, timeout=60)
        if fault == "cut after":
            self.close_connection = True
            return
        self.answer(found.status_code, found.headers.get("Content-Type", ""), found.content)

    def do_POST(self) -> None:
        """Do as with any request."""
        self.do_GET()

    def do_DELETE(self) -> None:
        """Do as with any request."""
        self.do_GET()

    def answer(self, status: int, kind: str, content: bytes) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxy_before(target: str) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    with Proxy(target) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.patience.set()
            proxy.shutdown()
            thread.join()
