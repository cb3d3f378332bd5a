"""What an operator does over HTTP: have the service look at once which versions are in production."""

from collections.abc import Callable
from typing import Any, Protocol

import anyio.to_thread
from fastapi import Request
from starlette.responses import Response

from assay.exceptions import DatabaseError, RequestRefused
from assay.service.answers import refusal
from assay.service.calls import Calls
from assay.service.exchange import Exchange, exchange_of
from assay.service.models import Models, Seat
from assay.service.responses import json_response

REFUSALS: dict[int | str, dict[str, Any]] = {
    409: refusal("The service follows no registry"),
    503: refusal("The registry or the audit log cannot be reached"),
}


class Follower(Protocol):
    """Keeps what is served in step with a registry; ``following.Following`` is one."""

    def state(self) -> dict[str, Any]:
        """Return since when the registry has not been reached, and why; ``reason`` is None while it is."""

    async def refresh(self) -> str | None:
        """Ask the registry now and bring every task to what it says; return why not all could be done."""


Recorder = Callable[[Exchange], None]
"""Writes into the audit log who asked for a refresh; blocks, and raises DatabaseError."""


def admin_routes(
    models: Models, follower: Follower | None, record: Recorder | None, *, described: bool
) -> Calls:
    """Return the calls of an operator."""
    router = Calls(described=described, prefix="/v1/admin", tags=["admin"], responses=REFUSALS)

    @router.post("/refresh", response_model="Refreshed")
    async def refresh(request: Request) -> Response:
        """Look now which versions are in production, and say which answers for each task."""
        if follower is None:
            message = "The service serves folders (ASSAY_MODELS), no registry. Restart it to change them."
            raise RequestRefused(message, status=409, code="not_following")
        await _note(record, exchange_of(request))
        before = models.seats
        reason = await follower.refresh()
        if reason:
            message = f"What is served has not all been refreshed. {reason}"
            raise RequestRefused(message, status=503, code="registry_unavailable")
        tasks = {name: _outcome(before.get(name, Seat()), seat) for name, seat in models.seats.items()}
        status = "ok" if models.complete else "degraded"
        return json_response({"status": status, "tasks": tasks})

    return router


async def _note(record: Recorder | None, exchange: Exchange) -> None:
    if record is None:
        return
    try:
        await anyio.to_thread.run_sync(record, exchange)
    except DatabaseError as error:
        # Nothing is lost: what is in production is found by the next look of its own.
        message = f"The audit log cannot be written, so nothing was done. {error.message}"
        raise RequestRefused(message, status=503, code="audit_unavailable") from error


def _outcome(before: Seat, after: Seat) -> dict[str, Any]:
    return {
        "version": after.served.version if after.served else None,
        "before": before.served.version if before.served else None,
        "wanted": after.state()["wanted"],
        "reason": after.state()["reason"],
    }
