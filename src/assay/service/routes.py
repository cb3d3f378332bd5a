"""The calls of the service; each only reads its request, asks and writes the answer."""

from collections.abc import Callable
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import Depends, Path, Query, Request
from starlette.responses import HTMLResponse, Response

from assay.service.answers import BODY_REFUSALS, TASK_REFUSALS
from assay.service.bodies import read_body
from assay.service.calls import Calls
from assay.service.deciding import Deciding
from assay.service.exchange import exchange_of
from assay.service.limits import COUNTING_THREADS
from assay.service.page import Page
from assay.service.requests import BatchRequest, PredictRequest
from assay.service.responses import json_response

TASK_PREFIX = "/v1/tasks/{task}"
VERSION_PREFIX = TASK_PREFIX + "/versions/{version}"
Explain = Annotated[
    bool, Query(description="Also tell the rules that fired and the words that moved the score.")
]


async def task_in_path(task: Annotated[str, Path(description="Name of the task, like spam.")]) -> None:
    """Declare the path parameter to OpenAPI; the calls read it themselves."""


async def version_in_path(
    version: Annotated[str, Path(description="Number of a version of the task's model, like 3.")],
) -> None:
    """Declare the path parameter to OpenAPI; the calls read it themselves."""


def named_in(prefix: str) -> list[Any]:
    """Return the declarations of what the prefix of a path names."""
    declared = {"{task}": task_in_path, "{version}": version_in_path}
    return [Depends(says) for name, says in declared.items() if name in prefix]


def decision_routes(deciding: Deciding, *, described: bool, prefix: str = "") -> Calls:
    """Return the calls that decide, for the default task or what the path's prefix names."""
    refusals = {**BODY_REFUSALS, **TASK_REFUSALS}
    options: dict[str, Any] = {"responses": refusals, "dependencies": named_in(prefix)}
    router = Calls(described=described, prefix=prefix, tags=["decisions"], **options)
    one, many = (router.taking(name, deciding.limits) for name in ("PredictRequest", "BatchRequest"))

    @router.post("/predict", openapi_extra=one, response_model="DecisionOrPredictions")
    async def predict(request: Request, explain: Explain = False) -> Response:
        """Decide one text, or several."""
        body = await read_body(request, PredictRequest, deciding.limits)
        if body.text is None:
            return json_response({"predictions": await _decide(deciding, request, body, explain)})
        task, version = asked_for(request)
        [decision] = await deciding.decide(
            task,
            [body.text],
            version=version,
            exchange=exchange_of(request),
            subject=body.subject,
            single=True,
            explain=explain,
        )
        return json_response(decision.to_dict())

    @router.post("/predict/batch", openapi_extra=many, response_model="Predictions")
    async def predict_batch(request: Request, explain: Explain = False) -> Response:
        """Decide several texts."""
        body = await read_body(request, BatchRequest, deciding.limits)
        return json_response({"predictions": await _decide(deciding, request, body, explain)})

    @router.post("/batch_predict", openapi_extra=many, response_model="Decisions")
    async def batch_predict(request: Request, explain: Explain = False) -> Response:
        """Decide several texts; the answer is a bare list."""
        body = await read_body(request, BatchRequest, deciding.limits)
        return json_response(await _decide(deciding, request, body, explain))

    return router


def asked_for(request: Request) -> tuple[str | None, str | None]:
    """Return the task and the version that a path names."""
    return request.path_params.get("task"), request.path_params.get("version")


async def _decide(
    deciding: Deciding, request: Request, body: PredictRequest | BatchRequest, explain: bool
) -> list[dict[str, Any]]:
    task, version = asked_for(request)
    decisions = await deciding.decide(
        task,
        body.texts or [],
        version=version,
        exchange=exchange_of(request),
        subject=body.subject,
        explain=explain,
    )
    return [decision.to_dict() for decision in decisions]


def front_routes(
    deciding: Deciding,
    page: Page,
    *,
    version: str,
    endpoints: Callable[[], dict[str, str]],
    described: bool,
) -> Calls:
    """Return ``GET /`` and ``GET /metrics``."""
    router, threads = Calls(described=described, tags=["service"]), anyio.CapacityLimiter(COUNTING_THREADS)
    models, metrics = deciding.models, deciding.metrics

    @router.get("/", response_model="Index")
    async def index(request: Request) -> Response:
        """Show the web page to a browser, and say what there is to other clients."""
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(page.html, headers={**page.headers, "Vary": "Accept"})
        answer = json_response(
            {
                "name": "assay",
                "version": version,
                "default_task": models.default_task,
                "tasks": list(models.served),
                "endpoints": endpoints(),
            }
        )
        answer.headers["Vary"] = "Accept"
        return answer

    @router.get("/metrics", response_class=Response)
    async def prometheus() -> Response:
        """Give requests, latencies and decisions in Prometheus' text format."""
        text = await anyio.to_thread.run_sync(metrics.render, limiter=threads)
        return Response(text, media_type=metrics.content_type)

    return router
