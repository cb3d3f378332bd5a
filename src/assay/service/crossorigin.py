"""Web pages of other origins: which of them may call the service (CORS)."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from assay.service.errors import error_response, shown
from assay.service.exchange import Exchange

METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")
ASKED = ("Authorization", "Content-Encoding", "X-API-Key", "X-Request-ID")
"""Headers that a page may send beside the plain ones."""

TOLD = (
    *("X-Request-ID", "Retry-After", "Content-Disposition", "RateLimit", "RateLimit-Policy"),
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
)
"""Headers of an answer that a page may read beside the plain ones."""


class CrossOrigin(CORSMiddleware):
    """Middleware that answers preflights and lets the named origins read answers.

    Cookies and other credentials that a browser adds by itself are never asked for: keys are sent by the
    page. So no origin, ``*`` included, can act with what its visitor happens to hold.
    """

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_methods=METHODS, allow_headers=ASKED, expose_headers=TOLD
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; pass everything else on."""
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        asked = headers and scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if headers is None or not asked or "origin" not in headers:
            await super().__call__(scope, receive, send)
            return
        answer = self.preflight_response(headers)
        if answer.status_code != 200:
            answer = _refusal(answer, headers, scope["state"]["exchange"])
        await answer(scope, receive, send)


def _refusal(answer: Response, asked: Headers, exchange: Exchange) -> Response:
    # Browsers only look at the headers; whoever debugs reads the body, in the one shape.
    exchange.code = "cross_origin"
    kept = {name: value for name, value in answer.headers.items() if name.startswith(("access", "vary"))}
    message = (
        f"A page of {shown(asked['origin'])} may not send {shown(asked['access-control-request-method'])} "
        f"with the headers {shown(asked.get('access-control-request-headers', ''))}; the setting "
        f"cors_origins says which origins may. Methods: {', '.join(METHODS)}; headers: {', '.join(ASKED)}."
    )
    return error_response(exchange.request_id, 400, "cross_origin", message, headers=kept)
