"""``POST /feedback``: what a person says the right label of a decision is."""

import logging
from functools import partial
from typing import Any, Protocol

import anyio
import anyio.to_thread
from fastapi import Depends, Request
from starlette.responses import Response

from assay.exceptions import DatabaseError, RequestRefused
from assay.service.answers import BODY_REFUSALS, TASK_REFUSALS
from assay.service.bodies import read_body
from assay.service.calls import Calls
from assay.service.deciding import Deciding
from assay.service.errors import fault, invalid
from assay.service.exchange import Exchange, exchange_of
from assay.service.limits import FEEDBACK_THREADS, FEEDBACK_WAITING
from assay.service.requests import FeedbackRequest
from assay.service.responses import json_response
from assay.service.routes import task_in_path

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5
ASKING = frozenset({"predict", "batch"})
"""Scopes with which a key asks for decisions."""


class FeedbackStore(Protocol):
    """Where feedback is kept; ``telemetry.Feedback`` is one."""

    def keep(self, decision: str, label: str, *, key: str, task: str, reviewer: bool) -> None:
        """Keep what a key says of a decision; the same again changes nothing. Raises DatabaseError.

        Who is no ``reviewer`` speaks only of decisions that the same key asked for.
        """


def is_reviewer(exchange: Exchange) -> bool:
    """Return whether whoever asks may speak of decisions that others asked for.

    A key that can ask for decisions itself is a client's, and speaks of its own; one that can only judge them
    is a reviewer's. Without keys nobody can be told from anybody, and everybody may.
    """
    return not exchange.scopes & ASKING


class Receiving:
    """Checks feedback and has it kept, by threads of its own: a slow database holds up no decision."""

    def __init__(self, deciding: Deciding, store: FeedbackStore | None) -> None:
        self._deciding, self._store = deciding, store
        self._threads = anyio.CapacityLimiter(FEEDBACK_THREADS)

    async def receive(self, request: Request, told: FeedbackRequest) -> None:
        """Keep feedback; when this returns it is kept.

        Raises RequestRefused: 404 or 422 when task and label do not fit, 503 when it could not be kept.
        """
        task = self._task_of(request, told)
        if self._store is None:
            raise _not_kept("this service has no database for it")
        if self._threads.statistics().tasks_waiting >= FEEDBACK_WAITING:
            raise _not_kept("the database is too slow for what comes")
        exchange = exchange_of(request)
        who: dict[str, Any] = {"key": exchange.key, "task": task, "reviewer": is_reviewer(exchange)}
        keep = partial(self._store.keep, told.id, told.label, **who)
        try:
            await anyio.to_thread.run_sync(keep, limiter=self._threads)
        except DatabaseError as error:
            # The message may name hosts and folders: that is for the operator.
            logger.error("Feedback of request %s was not kept: %s", request.state.request_id, error.message)
            raise _not_kept("its database cannot be used right now") from None

    def _task_of(self, request: Request, told: FeedbackRequest) -> str:
        of_path = request.path_params.get("task")
        if of_path and told.task not in (None, of_path):
            said = f"The path says {of_path!r}; leave the field out, or let it say the same."
            raise invalid([fault("task", said, told.task)])
        task: str = of_path or told.task or ""
        models = self._deciding.models
        seat = models.seat(task)
        if task and (seat.served or not seat.missing):
            labels = models.get(task).labels
            if told.label not in labels:
                said = f"The task {task!r} has no such label; its labels are {list(labels)}."
                raise invalid([fault("label", said, told.label)])
        return task


def _not_kept(reason: str) -> RequestRefused:
    return RequestRefused(
        f"The feedback was not kept: {reason}. Send it again later; the same feedback twice counts once.",
        status=503,
        code="feedback_not_kept",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def feedback_routes(receiving: Receiving, deciding: Deciding, *, described: bool, prefix: str = "") -> Calls:
    """Return the call that takes feedback; under TASK_PREFIX, on decisions of the task in the path."""
    refusals = {**BODY_REFUSALS, **TASK_REFUSALS}
    router = Calls(described=described, prefix=prefix, tags=["feedback"], responses=refusals)
    if prefix:
        router.dependencies.append(Depends(task_in_path))
    schema = router.taking("FeedbackRequest", deciding.limits)

    @router.post("/feedback", status_code=202, openapi_extra=schema, response_model="Receipt")
    async def feedback(request: Request) -> Response:
        """Take what the right label of a decision is."""
        told = await read_body(request, FeedbackRequest, deciding.limits)
        await receiving.receive(request, told)
        return json_response({"id": told.id, "label": told.label}, 202)

    return router
