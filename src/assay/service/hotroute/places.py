"""Where plain requests come from: worked out once for each peer, and for what proxies tell."""

from typing import NamedTuple

from assay.access import Access, client_address, is_trusted
from assay.service.connections import Peer, PlainRequest
from assay.service.guard import asks, failures_of, requests_of, scope_needed
from assay.service.protection import missing_headers

MOST = 4_096
"""Places that are remembered."""

NEEDED = scope_needed("POST", "/predict")
JSON = (b"content-type", b"application/json")


class Place(NamedTuple):
    """Where a request comes from, and what follows of that."""

    address: str
    asked: bool
    """Whether a key is needed."""
    requests: str
    failures: str
    """The names under which its requests and its wrong keys are counted."""
    head: bytes
    """The headers that every answer there has."""


class Places:
    """Remembers places."""

    def __init__(self, access: Access | None) -> None:
        self._access = access
        self._known: dict[tuple[Peer, str | None, str], Place] = {}

    def of(self, request: PlainRequest, peer: Peer) -> Place:
        """Return the place of a request."""
        told = request.headers
        key = peer, told.get("x-forwarded-for"), told.get("x-forwarded-proto", "")
        place = self._known.get(key)
        if place is None:
            if len(self._known) >= MOST:
                self._known.clear()
            place = self._known[key] = place_of(self._access, *key)
        return place


def place_of(access: Access | None, peer: Peer, forwarded: str | None, proto: str) -> Place:
    """Return the place that a peer speaks of, where it is a proxy that is trusted, else its own."""
    address, https = peer.client, peer.https
    if access is not None:
        address = client_address(address, [] if forwarded is None else [forwarded], access.proxies)
        told = proto.strip().lower()
        if access.proxies and told in ("http", "https") and is_trusted(peer.client, access.proxies):
            https = told == "https"
    headers = [JSON, *missing_headers([JSON], https=https)]
    return Place(
        address=address,
        asked=access is not None and NEEDED is not None and asks(access.policy, NEEDED, peer.server),
        requests=requests_of(address),
        failures=failures_of(address),
        head=b"".join(b"%b: %b\r\n" % header for header in headers),
    )
