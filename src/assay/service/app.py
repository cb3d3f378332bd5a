"""The application: routes, errors and middleware around the models that are served."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.metadata import version as version_of
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from assay.service.admin import Follower, Recorder, admin_routes
from assay.service.deciding import Deciding
from assay.service.entrance import Entrance
from assay.service.envelope import Envelope, MetricsSink, RequestLog
from assay.service.errors import install_handlers
from assay.service.limits import Limits
from assay.service.models import Models
from assay.service.page import read_page
from assay.service.routes import TASK_PREFIX, VERSION_PREFIX, decision_routes, front_routes, health_routes
from assay.service.versions import Versions

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    models: Models,
    *,
    metrics: MetricsSink,
    limits: Limits | None = None,
    versions: Versions | None = None,
    follower: Follower | None = None,
    record: Recorder | None = None,
    log: RequestLog | None = None,
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """Return the web service over some models.

    Parameters
    ----------
    models
        What is served; it may gain tasks while the service runs.
    metrics
        Where requests and decisions are counted.
    limits
        How much one request may bring; the defaults of ``Limits`` when left out.
    versions
        Where requests that name a version find it; only those of ``models`` when left out.
    follower
        Who keeps the models in step with a registry; nobody when left out.
    record
        Writes into the audit log what an operator asked for.
    log
        Where a line is written for each request; nowhere when left out.
    lifespan
        What runs beside the service, from its start to its end.
    """
    version = version_of("assay")
    limits = limits or Limits()
    entrance = Entrance(limits, metrics, log)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with lifespan(app) if lifespan else nullcontext():
            with entrance.watched():
                # The connections find it in the state that the server hands them.
                yield {"entrance": entrance}

    app = FastAPIOffline(
        redoc_url=None,
        title="Assay",
        version=version,
        description="Decisions about texts. Errors have one shape; `GET /health` says which version answers.",
        lifespan=life,
    )
    deciding = Deciding(models, versions or Versions(models), metrics, limits)
    app.include_router(
        front_routes(deciding, read_page(), version=version, endpoints=lambda: _endpoints(app))
    )
    app.include_router(health_routes(deciding, entrance, follower, version=version))
    for prefix in ("", TASK_PREFIX, VERSION_PREFIX):
        app.include_router(decision_routes(deciding, prefix=prefix))
    app.include_router(admin_routes(models, follower, record))
    install_handlers(app)
    app.add_middleware(Envelope, metrics=metrics, log=log)
    return app


def _endpoints(app: FastAPI) -> dict[str, str]:
    """Return every call with what it does, from the application's own description of itself."""
    return {
        f"{method.upper()} {path}": operation["description"]
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    }
