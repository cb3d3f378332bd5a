"""Who may make this request: middleware that asks for keys and holds callers to their rates."""

import logging
import re
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.access import Access, Caller, Policy, Verdict, client_address, counted_address, is_trusted
from assay.exceptions import DatabaseError, RequestRefused
from assay.service.envelope import MetricsSink
from assay.service.errors import error_response, shown
from assay.service.exchange import Exchange

logger = logging.getLogger(__name__)

OPEN = frozenset({"/", "/docs", "/docs/oauth2-redirect", "/openapi.json", "/health/live", "/health/ready"})
OPEN_FOLDERS = ("/static", "/pages/")
"""Where the files of the pages lie, which are the same for everybody."""

UNCOUNTED = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})
"""What watches the service is answered however often it asks."""

PERSPECTIVE = "/v1/comments:analyze"
ADMIN = "/v1/admin"
ANY = "any"
"""Instead of a scope: whatever key, as long as it is valid."""

_TASK = re.compile(
    r"(/v1/tasks/[^/]+(/versions/[^/]+)?)?/(predict|predict/batch|batch_predict|batch|feedback)"
)
_SCOPES = {"batch": "batch", "feedback": "feedback"}
_ANOTHER = "Whoever runs this service can make another (assay keys rotate)."
_ASK = (
    "Send one in the header Authorization: Bearer KEY, or X-API-Key: KEY. Whoever runs this service makes "
    "them (assay keys create)."
)


def path_of(scope: Scope) -> str:
    """Return the path of a request as the routes read it."""
    # A route's pattern also takes a path with a line feed behind it.
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).removesuffix("\n")


def scope_needed(method: str, path: str) -> str | None:
    """Return the scope that a request needs: ANY for whatever key, None where none is asked for.

    What is not listed here needs a key: a call that somebody adds is closed until it is opened.
    """
    if method == "OPTIONS" or path in OPEN or path.startswith(OPEN_FOLDERS):
        return None
    if path == ADMIN or path.startswith(f"{ADMIN}/"):
        return "admin"
    if path == PERSPECTIVE:
        return "predict"
    found = _TASK.fullmatch(path)
    return _SCOPES.get(found[3], "predict") if found else ANY


def credential_of(headers: Mapping[str, str], path: str, query: bytes) -> str:
    """Return the key that a request carries; empty where it carries none.

    In the address only Perspective's clients may send it: addresses end up in logs.
    """
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    if given := headers.get("x-api-key", "").strip():
        return given
    if path == PERSPECTIVE:
        values = parse_qs(query.decode("latin-1")).get("key", [])
        return values[0] if values else ""
    return ""


def asks(policy: Policy, needed: str, server: str) -> bool:
    """Return whether a request that came to an address of this machine must bring a key."""
    if policy.everybody or (policy.admins and needed == "admin"):
        return True
    # Another program than assay serve may have bound an address that the settings do not know of.
    return policy.loopback and not _only_here(server)


def failures_of(address: str) -> str:
    """Return the name under which wrong keys of an address are counted."""
    return f"failed:{counted_address(address)}"


def requests_of(address: str) -> str:
    """Return the name under which requests without a key are counted."""
    return f"address:{counted_address(address)}"


class Guard:
    """Middleware in front of every call; it answers before a byte of the body is read."""

    def __init__(self, app: ASGIApp, *, access: Access, metrics: MetricsSink) -> None:
        self.app, self.access, self.metrics = app, access, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange: Exchange = scope["state"]["exchange"]
        headers = Headers(scope=scope)
        self._place(scope, headers, exchange)
        told: Mapping[str, str] = {}
        try:
            caller = self._caller(scope, headers, exchange)
            verdict = None
            if path_of(scope) not in UNCOUNTED:
                verdict = await self._count(caller, exchange.address)
            told = verdict.headers() if verdict else {}
            if verdict and not verdict.allowed:
                raise _too_many(verdict, code="rate_limited", message="Too many requests came.")
        except RequestRefused as refused:
            exchange.code = refused.data["code"]
            if refused.data["status"] == 429:
                self.metrics.rejected(exchange.code)
            answer = error_response(
                exchange.request_id, refused.data["status"], exchange.code, refused.message,
                headers={**told, **refused.data["headers"]},
            )  # fmt: skip
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, _telling(send, told) if told else send)

    def _place(self, scope: Scope, headers: Headers, exchange: Exchange) -> None:
        """Note where a request comes from, as the proxies that are trusted tell it."""
        peer, proxies = exchange.address, self.access.proxies
        exchange.address = client_address(peer, headers.getlist("x-forwarded-for"), proxies)
        if proxies and is_trusted(peer, proxies):
            told = headers.get("x-forwarded-proto", "").strip().lower()
            scope["scheme"] = told if told in ("http", "https") else scope["scheme"]

    def _caller(self, scope: Scope, headers: Headers, exchange: Exchange) -> Caller | None:
        """Return who asks, where that is known.

        Raises RequestRefused where a key is needed and there is none that fits.
        """
        path = path_of(scope)
        needed = scope_needed(scope["method"], path)
        if needed is None:
            return None
        server = (scope.get("server") or ("",))[0]
        asked, known = asks(self.access.policy, needed, server), self.access.authenticator is not None
        if asked and not known:
            raise _refuse(503, "not_ready", UNPREPARED)
        credential = credential_of(headers, path, scope.get("query_string", b"")) if known else ""
        caller = self._identify(credential, exchange.address, asked=asked) if credential else None
        if caller is not None:
            exchange.key, exchange.scopes = caller.name, caller.scopes
            if asked and needed != ANY and needed not in caller.scopes:
                raise _forbidden(caller, needed)
        elif asked:
            raise _unauthorized(f"This call needs a key. {_ASK}")
        return caller

    def _identify(self, credential: str, address: str, *, asked: bool) -> Caller | None:
        """Return whose a credential is, unless too many wrong ones came from the address.

        Where no key is asked for, a credential of something else does not matter.
        """
        access = self.access
        assert access.authenticator is not None
        subject = failures_of(address)
        looked = access.failures.take_now(subject, access.failed_keys, cost=0)
        try:
            if not looked.allowed:
                message = "Too many wrong keys came from this address."
                raise _too_many(looked, code="too_many_failed_keys", message=message)
            if caller := access.authenticator.identify(credential):
                return caller
            access.failures.take_now(subject, access.failed_keys)
            raise _unauthorized(
                f"The key is unknown, was revoked or has expired. {_ANOTHER}", "invalid_token"
            )
        except DatabaseError as error:
            # Why is for the operator: it names the database.
            logger.warning("A key could not be checked: %s", error.message)
            refused = _refuse(503, "not_ready", UNREADABLE, {"Retry-After": "1"})
        except RequestRefused as error:
            refused = error
        if asked:
            raise refused
        return None

    async def _count(self, caller: Caller | None, address: str) -> Verdict | None:
        """Count a request under its caller, else under its address; None where nothing limits it."""
        if caller is not None:
            subject, rate = caller.id, caller.rate or self.access.per_key
        else:
            subject, rate = requests_of(address), self.access.per_address
        return await self.access.counting.take(subject, rate) if rate else None


UNREADABLE = "Keys cannot be checked right now, so nobody may pass; try again in a moment."
UNPREPARED = (
    "The service listens on an address that its settings do not name, so nobody may use it: keys are asked "
    "for there. Set ASSAY_HOST to that address and make a key, or set ASSAY_INSECURE."
)


def _only_here(server: str) -> bool:
    """Return whether a request came to an address that only this machine reaches."""
    try:
        return ip_address(server).is_loopback
    except ValueError:
        # No address: a socket of Unix, or a client within the process.
        return True


def _telling(send: Send, told: Mapping[str, str]) -> Send:
    """Return a way out that adds headers to the answer."""

    async def outgoing(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(told)
        await send(message)

    return outgoing


def _unauthorized(message: str, error: str = "") -> RequestRefused:
    challenge = 'Bearer realm="assay"' + (f', error="{error}"' if error else "")
    return _refuse(401, "unauthorized", message, {"WWW-Authenticate": challenge})


def _forbidden(caller: Caller, needed: str) -> RequestRefused:
    has = ", ".join(sorted(caller.scopes))
    message = f"The key {shown(caller.name)} has not the scope {needed!r} that this call needs; it has {has}."
    challenge = f'Bearer realm="assay", error="insufficient_scope", scope="{needed}"'
    return _refuse(403, "forbidden", message, {"WWW-Authenticate": challenge})


def _too_many(verdict: Verdict, *, code: str, message: str) -> RequestRefused:
    headers = verdict.headers()
    wait = headers["Retry-After"]
    return _refuse(429, code, f"{message} The next may come in {wait} s.", headers)


def _refuse(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> RequestRefused:
    return RequestRefused(message, status=status, code=code, headers=headers or {})
