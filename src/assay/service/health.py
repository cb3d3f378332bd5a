"""The calls that say what is served, what it decided, and whether the service can answer."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

import anyio
import anyio.to_thread
from starlette.responses import Response

from assay.access import Access
from assay.exceptions import RequestRefused
from assay.service.admin import Follower
from assay.service.calls import Calls
from assay.service.connections import Entrance
from assay.service.deciding import Deciding
from assay.service.limits import COUNTING_THREADS
from assay.service.responses import json_response

logger = logging.getLogger(__name__)

Section = Literal["decision_log", "drift", "cache"]
Sections = Mapping[Section, Callable[[], Mapping[str, Any]]]
"""Who tells of what is beside the decisions; one that has something under ``reason`` is out of order."""

SECTIONS: tuple[Section, ...] = get_args(Section)


def health_routes(
    deciding: Deciding,
    entrance: Entrance,
    follower: Follower | None,
    access: Access | None,
    sections: Sections,
    *,
    version: str,
    described: bool,
) -> Calls:
    """Return the calls about the service's health."""
    router, threads = Calls(described=described, tags=["health"]), anyio.CapacityLimiter(COUNTING_THREADS)

    @router.get("/health", response_model="Health")
    async def health() -> Response:
        """Say which version answers for each task, and what was decided since the start."""
        statistics = await anyio.to_thread.run_sync(deciding.metrics.statistics, limiter=threads)
        state = state_of(deciding, follower, access, sections)
        return json_response({"version": version, **state, "statistics": statistics})

    @router.get("/health/live", response_model="Liveness")
    async def live() -> Response:
        """Say that the process answers."""
        return json_response({"status": "ok"})

    @router.get("/health/ready", response_model="Liveness")
    async def ready() -> Response:
        """Say whether any task can be decided and the service is not about to stop."""
        entrance.check_open()
        deciding.models.check_ready()
        if access is not None and not access.ready:
            message = "The keys could not be read yet, so nobody may pass; /health says why."
            raise RequestRefused(message, status=503, code="not_ready")
        return json_response({"status": "ok"})

    return router


def state_of(
    deciding: Deciding, follower: Follower | None, access: Access | None, sections: Sections
) -> dict[str, Any]:
    """Return what is served and what is amiss; the first word says whether all is well."""
    models, following = deciding.models, follower.state() if follower else None
    watching: dict[str, Mapping[str, Any] | None] = {name: _told(name, sections) for name in SECTIONS}
    faults = {**(access.faults if access else {}), **_reasons(watching)}
    well = models.complete and not faults and not (following and following["reason"])
    return {
        "status": "ok" if well else "degraded",
        "default_task": models.default_task,
        "tasks": {name: seat.state() for name, seat in models.seats.items()},
        "registry": following,
        "faults": faults,
        **watching,
    }


def _told(name: Section, sections: Sections) -> Mapping[str, Any] | None:
    if name not in sections:
        return None
    try:
        return sections[name]()
    except Exception as error:  # The edge: whatever is wrong with one part, the others are told.
        logger.warning("What %s tells of itself could not be had", name, exc_info=error)
        return {"reason": f"It could not tell ({type(error).__name__}); the log of the service says why."}


def _reasons(watching: Mapping[str, Mapping[str, Any] | None]) -> dict[str, str]:
    return {name: told["reason"] for name, told in watching.items() if told and told.get("reason")}
