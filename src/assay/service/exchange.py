"""One request and its answer, as metrics and the request log tell of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

DEADLINE = "X-Deadline-Seconds"
"""The header in which a client says how long it waits for a costly model at most."""

UNMATCHED = "(unmatched)"
"""The route label of every path that no route knows."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """What is known of one request; who handles it fills it in on the way.

    ``seconds`` runs from the first byte of headers to the last byte of the answer, ``texts`` counts those
    that were decided, ``rows`` the rows of an uploaded file and ``row_errors`` those that could not be.
    """

    request_id: str
    method: str
    path: str
    address: str = ""
    at: float = field(default_factory=time.time)
    """When it began, in seconds since the epoch."""
    route: str = UNMATCHED
    """The template of its path, so that paths from outside cannot add series to the metrics."""
    status: int = 0
    code: str = ""
    """The code of the error that it was answered with."""
    seconds: float = 0.0
    received: int = 0
    """Bytes of the body."""
    sent: int = 0
    key: str = ""
    """Name of the key that asked."""
    scopes: frozenset[str] = frozenset()
    """What that key may do."""
    task: str = ""
    version: str = ""
    texts: int = 0
    rows: int = 0
    row_errors: int = 0
    deadline: str = ""
    """How many seconds its client gives it, as the client says."""
    keeps_content: bool = False
    content: tuple[str, ...] = ()
    """The texts themselves; only kept where the settings ask for them in the request log, never of a file."""

    def decided(self, task: str, version: str, texts: Sequence[str]) -> None:
        """Take note of texts that a version decided."""
        self.task, self.version = task, version
        self.texts += len(texts)
        if self.keeps_content:
            self.content += tuple(texts)


def exchange_of(connection: HTTPConnection) -> Exchange:
    """Return the exchange that a request belongs to."""
    exchange: Exchange = connection.scope["state"]["exchange"]
    # Known once a route was found; whoever is told of decisions does not wait for the answer's end.
    exchange.route = getattr(connection.scope.get("route"), "path", exchange.route)
    return exchange
