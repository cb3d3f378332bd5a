"""The calls that say what is served, what it decided, and whether the service can answer."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from assay.access import Access
from assay.exceptions import RequestRefused
from assay.service.admin import Follower
from assay.service.connections import Entrance
from assay.service.deciding import Deciding
from assay.service.responses import json_response
from assay.service.schemas import Health, Liveness


def health_routes(
    deciding: Deciding, entrance: Entrance, follower: Follower | None, access: Access | None, *, version: str
) -> APIRouter:
    """Return the calls about the service's health."""
    router = APIRouter(tags=["health"])

    @router.get("/health", response_model=Health)
    async def health() -> Response:
        """Say which version answers for each task, and what was decided since the start."""
        return json_response({"version": version, **state_of(deciding, follower, access)})

    @router.get("/health/live", response_model=Liveness)
    async def live() -> Response:
        """Say that the process answers."""
        return json_response({"status": "ok"})

    @router.get("/health/ready", response_model=Liveness)
    async def ready() -> Response:
        """Say whether any task can be decided and the service is not about to stop."""
        entrance.check_open()
        deciding.models.check_ready()
        if access is not None and not access.ready:
            message = "The keys could not be read yet, so nobody may pass; /health says why."
            raise RequestRefused(message, status=503, code="not_ready")
        return json_response({"status": "ok"})

    return router


def state_of(deciding: Deciding, follower: Follower | None, access: Access | None) -> dict[str, Any]:
    """Return what is served, what is amiss and what was decided; the first word says whether all is well."""
    models, following = deciding.models, follower.state() if follower else None
    faults = access.faults if access else {}
    well = models.complete and not faults and not (following and following["reason"])
    return {
        "status": "ok" if well else "degraded",
        "default_task": models.default_task,
        "tasks": {name: seat.state() for name, seat in models.seats.items()},
        "registry": following,
        "faults": faults,
        "statistics": deciding.metrics.statistics(),
    }
