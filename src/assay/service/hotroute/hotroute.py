"""Plain requests -> answers, with all that surrounds a request: caller, rates, counts, logs."""

import time
from typing import NamedTuple

from assay.access import Access, Authenticator, Caller, Verdict
from assay.estimators import Decision
from assay.exceptions import DatabaseError
from assay.service.connections import Peer, PlainRequest
from assay.service.deciding import Deciding
from assay.service.envelope import RequestLog, sane_id
from assay.service.exchange import Exchange
from assay.service.guard import credential_of
from assay.service.hotroute.asked import Asked, read_asked
from assay.service.hotroute.places import NEEDED, Place, Places
from assay.service.hotroute.plans import Plan, plans_of
from assay.service.microbatching import NotAtHand
from assay.service.models import Seat
from assay.service.responses import encoded


class Admitted(NamedTuple):
    """Who may go on, where that is known, and what the rate leaves, where there is one."""

    caller: Caller | None
    verdict: Verdict | None


class HotRoute:
    """The connections' shortcut: does what middleware, route and ``Deciding`` do for a plain request.

    Parameters
    ----------
    deciding
        Whose models answer, and who is told of decisions.
    access
        Who may ask, and how much; anybody anything when left out.
    log
        Where a line is written for each request.
    """

    def __init__(self, deciding: Deciding, access: Access | None, log: RequestLog | None) -> None:
        self._deciding, self._access, self._log = deciding, access, log
        self._places = Places(access)
        self._seats: dict[str, Seat] = {}
        self._plans: dict[bytes, Plan] = {}

    def leads_to(self, url: bytes) -> bool:
        """Return whether requests of an address may be answered here."""
        return url in self._current()

    def answer(self, request: PlainRequest, peer: Peer) -> bytes | None:
        """Return an answer of 200 from its headers on; None, and nothing done, where another way must."""
        plan, asked = self._current().get(request.url), read_asked(request.body)
        if plan is None or asked is None:
            return None
        place = self._places.of(request, peer)
        decisions = None
        if plan.cascade.model.costly and (decisions := self._at_hand(plan, asked)) is None:
            return None
        # Nothing was counted until here, and whoever is refused in here neither.
        admitted = self._admit(request, place)
        if admitted is None:
            return None
        return self._decide(plan, asked, request, place, admitted, decisions)

    def _at_hand(self, plan: Plan, asked: Asked) -> list[Decision] | None:
        """Return what a rule or the cache knows of a text, None where the model would have to be asked."""
        try:
            return plan.quick.decide([asked.text]) if plan.quick else None
        except NotAtHand:
            return None

    def _decide(
        self,
        plan: Plan,
        asked: Asked,
        request: PlainRequest,
        place: Place,
        admitted: Admitted,
        decisions: list[Decision] | None,
    ) -> bytes:
        caller, cascade, texts = admitted.caller, plan.cascade, [asked.text]
        exchange = Exchange(
            request_id=sane_id(request.headers.get("x-request-id", "")),
            method="POST",
            path=plan.path,
            address=place.address,
            route=plan.route,
            received=request.length,
            key=caller.name if caller else "",
            scopes=caller.scopes if caller else frozenset(),
            keeps_content=self._log is not None and self._log.texts,
        )
        decisions = decisions or cascade.decide(texts)
        self._deciding.tell(cascade, texts, decisions, exchange, subject=asked.subject)
        exchange.decided(cascade.task.name, cascade.version, texts)
        body = encoded(decisions[0].to_dict())
        exchange.status, exchange.sent = 200, len(body)
        exchange.seconds = time.perf_counter() - request.arrived
        self._deciding.metrics.request(exchange)
        if self._log is not None:
            self._log.write(exchange)
        told = admitted.verdict.headers() if admitted.verdict else {}
        rate = "".join([f"{name.lower()}: {value}\r\n" for name, value in told.items()])
        head = f"{rate}x-request-id: {exchange.request_id}\r\ncontent-length: {len(body)}\r\n\r\n"
        return place.head + head.encode() + body

    def _current(self) -> dict[bytes, Plan]:
        """Return what answers now; seats that change are another dictionary."""
        seats = self._deciding.models.seats
        if seats is not self._seats:
            self._plans, self._seats = plans_of(self._deciding.models), seats
        return self._plans

    def _admit(self, request: PlainRequest, place: Place) -> Admitted | None:
        """Count a request that may pass; None for one that may not, or where that takes longer to say."""
        access, caller = self._access, None
        if access is None:
            return Admitted(None, None)
        credential = credential_of(request.headers, "", b"") if access.authenticator else ""
        if access.authenticator and credential:
            caller = _caller(access, access.authenticator, credential, place)
            if caller is None or (place.asked and NEEDED not in caller.scopes):
                return None
        elif place.asked:
            return None
        if caller is not None:
            subject, rate = caller.id, caller.rate or access.per_key
        else:
            subject, rate = place.requests, access.per_address
        if rate is None:
            return Admitted(caller, None)
        take_now = getattr(access.counting, "take_now", None)
        # Whoever counts elsewhere is waited for.
        verdict: Verdict | None = take_now(subject, rate) if take_now else None
        return Admitted(caller, verdict) if verdict and verdict.allowed else None


def _caller(access: Access, authenticator: Authenticator, credential: str, place: Place) -> Caller | None:
    """Return whose a key is; None for a wrong one, and where it is not looked at or cannot be."""
    if not access.failures.take_now(place.failures, access.failed_keys, cost=0).allowed:
        return None
    try:
        return authenticator.identify(credential)
    except DatabaseError:
        return None
