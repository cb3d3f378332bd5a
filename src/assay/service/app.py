"""The application: routes, errors and middleware around the models that are served."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import cache, partial
from importlib.metadata import version as version_of
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline

from assay.access import Access
from assay.service.admin import Follower, Recorder, admin_routes
from assay.service.answers import Answers, anywhere
from assay.service.compressing import Compressing
from assay.service.connections import Entrance
from assay.service.crossorigin import CrossOrigin
from assay.service.decided import DecisionSink
from assay.service.deciding import Deciding
from assay.service.envelope import Envelope, MetricsSink, RequestLog
from assay.service.errors import install_handlers
from assay.service.feedback import FeedbackStore, Receiving, feedback_routes
from assay.service.files import Files, Spool, file_routes
from assay.service.guard import Guard
from assay.service.health import Sections, health_routes
from assay.service.hotroute import HotRoute
from assay.service.limits import Limits
from assay.service.models import Models
from assay.service.openapi import Description, endpoints, operation_id
from assay.service.page import Page, read_page
from assay.service.perspective import Attributes, perspective_routes
from assay.service.routes import TASK_PREFIX, VERSION_PREFIX, decision_routes, front_routes
from assay.service.versions import Versions

VERSION = version_of("assay")
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
    access: Access | None = None,
    spool: Path | None = None,
    feedback: FeedbackStore | None = None,
    sink: DecisionSink | None = None,
    attributes: Mapping[str, str] | None = None,
    origins: Sequence[str] = (),
    state: Sections | None = None,
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
    access
        Who may ask, and how much; anybody anything when left out.
    spool
        Folder where uploaded files wait; the system's for temporary files when left out.
    feedback
        Where feedback is kept; it is refused with 503 when left out.
    sink
        Where every decision is told; nowhere when left out.
    attributes
        Attribute of the Perspective API -> task, beside each task's own name in capitals.
    origins
        Origins of web pages that may call the service; ``*`` means any.
    state
        Tells of the decision log, of drift and of feedback under ``/health``; asked there, so quick.
    lifespan
        What runs beside the service, from its start to its end.
    """
    limits = limits or Limits()
    entrance = Entrance(limits, metrics, log)
    deciding = Deciding(models, versions or Versions(models), metrics, limits, sink)
    entrance.queue, entrance.shortcut = deciding.queue, HotRoute(deciding, access, log)
    named, receiving = Attributes(deciding, attributes or {}), Receiving(deciding, feedback)
    routers = partial(
        _routers,
        *(deciding, entrance, Files(deciding, _swept(spool or Path(gettempdir()))), receiving, named),
        *(follower, record, access, state or {}, read_page()),
    )
    asked = access is not None and access.policy.everybody
    description = Description(cache(partial(_document, routers)), models, named, keys_asked=asked)
    listed = partial(_listed, description)
    app = _application(routers(listed, described=False), _life(entrance, lifespan))
    app.openapi = description  # type: ignore[method-assign]
    install_handlers(app)
    _surround(app, access, origins, metrics, log)
    return app


def _routers(
    deciding: Deciding,
    entrance: Entrance,
    files: Files,
    receiving: Receiving,
    named: Attributes,
    follower: Follower | None,
    record: Recorder | None,
    access: Access | None,
    sections: Sections,
    page: Page,
    listed: Callable[[], dict[str, str]],
    *,
    described: bool,
) -> Iterator[APIRouter]:
    yield front_routes(deciding, page, version=VERSION, endpoints=listed, described=described)
    yield health_routes(deciding, entrance, follower, access, sections, version=VERSION, described=described)
    for prefix in ("", TASK_PREFIX, VERSION_PREFIX):
        yield decision_routes(deciding, described=described, prefix=prefix)
        yield file_routes(files, described=described, prefix=prefix)
    for prefix in ("", TASK_PREFIX):
        yield feedback_routes(receiving, deciding, described=described, prefix=prefix)
    yield perspective_routes(deciding, named, described=described)
    yield admin_routes(deciding.models, follower, record, described=described)


def _document(routers: Callable[..., Iterator[APIRouter]]) -> dict[str, Any]:
    """Return what an application says that only describes: the routes of the one that serves cannot."""
    return _application(routers(dict, described=True), responses=anywhere()).openapi()


def _listed(description: Description) -> dict[str, str]:
    return endpoints(description())


def _surround(
    app: FastAPI, access: Access | None, origins: Sequence[str], metrics: MetricsSink, log: RequestLog | None
) -> None:
    # The last one added is the outermost.
    app.add_middleware(Compressing)
    if access is not None:
        app.add_middleware(Guard, access=access, metrics=metrics)
    if origins:
        app.add_middleware(CrossOrigin, origins=origins)
    app.add_middleware(Envelope, metrics=metrics, log=log)


def _application(
    routers: Iterable[APIRouter],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]] | None = None,
    responses: Answers | None = None,
) -> FastAPI:
    app = FastAPIOffline(
        redoc_url=None,
        title="Assay",
        version=VERSION,
        description="Decisions about texts. Errors have one shape; `GET /health` says which version answers.",
        lifespan=lifespan,
        responses=responses,
        generate_unique_id_function=operation_id,
    )
    for router in routers:
        app.include_router(router)
    return app


def _life(
    entrance: Entrance, beside: Lifespan | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[dict[str, Any]]]:
    """Return what runs from the start of a service to its end; connections find the entrance in its state."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        async with beside(app) if beside else nullcontext():
            with entrance.watched():
                yield {"entrance": entrance}

    return life


def _swept(folder: Path) -> Spool:
    spool = Spool(folder)
    spool.sweep()
    return spool
