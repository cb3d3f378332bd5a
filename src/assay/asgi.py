"""The service, wired from the settings: ``uvicorn assay.asgi:create_app --factory``."""

import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path

import anyio
from fastapi import FastAPI

from assay import service
from assay.access import Access, open_access
from assay.audit import AuditLog
from assay.database import Database
from assay.environment import read_settings
from assay.notation import origins, pairs
from assay.service import DecisionCache, Exchange, Limits, MetricsSink, Models, Versions, open_cache
from assay.serving import (
    Bell,
    Encoders,
    Following,
    RunFolder,
    encoders_of,
    open_pinned,
    open_served,
    paced,
    serve_folders,
)
from assay.settings import Settings
from assay.telemetry import Counters, Feedback, RequestLog
from assay.watching import Watching, watch


def create_app() -> FastAPI:
    """Return the service that the ``ASSAY_*`` settings describe."""
    return build_app(read_settings())


def build_app(settings: Settings, *, run: RunFolder | None = None) -> FastAPI:
    """Return the service over the production version of every task, or the folders of ``settings.models``.

    A registry that is down or empty and an artifact that is damaged do not stop the start: what is missing
    is named under ``/health``, and served as soon as it can be. ``run`` is what the processes of one service
    share; without it this one is alone. Raises ConfigError when two folders decide the same task.
    """
    models = Models(default_task=settings.default_task)
    metrics = Counters(run.metrics if run else None)
    log = _open_log(settings, metrics)
    access = open_access(settings, on_fault=lambda part, fault: metrics.degraded(part, bool(fault)))
    # One process alone has nobody to share with: memory of its own needs no disk.
    shared = run.weights if run and settings.workers > 1 else None
    cache = open_cache(
        settings.encoder_cache_entries,
        settings.encoder_cache_redis,
        metrics,
        on_fault=lambda fault: metrics.degraded("cache", bool(fault)),
    )
    encoders = encoders_of(settings, metrics, cache)
    following = _follow(models, settings, metrics, run, shared, encoders)
    # After what may stop the start: a folder is made.
    people = Database(settings.people)
    watching = watch(settings, models, metrics, people, run)
    _freeze()
    pinned = partial(open_pinned, settings, shared=shared, encoders=encoders)

    return service.create_app(
        models,
        metrics=metrics,
        limits=_limits(settings),
        log=log,
        spool=settings.spool or settings.home / "spool",
        versions=Versions(models, pinned if following else None),
        follower=following,
        access=access,
        record=partial(_record, AuditLog(people)),
        feedback=Feedback(people, told=metrics.feedback),
        sink=watching.log,
        state=watching.sections() | ({"cache": cache.state} if cache else {}),
        attributes=pairs(settings.attributes),
        origins=origins(settings.cors_origins),
        lifespan=_lifespan(metrics, log, watching, access, following, cache),
    )


def _lifespan(
    metrics: Counters,
    log: RequestLog | None,
    watching: Watching,
    access: Access,
    following: Following | None,
    cache: DecisionCache | None,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return what runs beside the service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(metrics.flush)
            if log:
                stack.enter_context(log.running())
                stack.enter_context(surviving_hangups())
            stack.enter_context(watching.running())
            await stack.enter_async_context(access.running())
            group = await stack.enter_async_context(anyio.create_task_group())
            if following:
                group.start_soon(following.run)
            if cache and cache.remote:
                group.start_soon(cache.remote.watch)
            stack.enter_context(paced())
            yield
            group.cancel_scope.cancel()

    return lifespan


def _follow(
    models: Models,
    settings: Settings,
    metrics: MetricsSink,
    run: RunFolder | None,
    shared: Path | None,
    encoders: Encoders,
) -> Following | None:
    """Serve what the settings name; return who keeps it in step with the registry, None for folders."""
    if settings.models:
        serve_folders(models, settings.models, metrics, shared=shared, encoders=encoders)
        return None
    opener = partial(open_served, settings, shared=shared, encoders=encoders)
    following = Following(
        models, settings, metrics, open_version=opener, bell=Bell(run.refresh if run else None)
    )
    following.begin()
    return following


def _open_log(settings: Settings, metrics: Counters) -> RequestLog | None:
    if not settings.request_log:
        return None
    return RequestLog(settings.request_log, metrics=metrics, texts=settings.log_texts)


@contextmanager
def surviving_hangups() -> Iterator[None]:
    """Keep SIGHUP from ending the process while the block runs: programs that rotate logs send it.

    Nothing else is to be done: a log's file that was moved is noticed when its next lines are written.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _limits(settings: Settings) -> Limits:
    return Limits(**{each.name: getattr(settings, each.name) for each in fields(Limits)})


def _record(log: AuditLog, exchange: Exchange) -> None:
    """Write into the audit log who had the service look which versions are in production."""
    who = exchange.key or f"anonymous@{exchange.address or 'unknown'}"
    log.append(who=who, action="refreshed", kind="service", evidence={"request_id": exchange.request_id})


def _freeze() -> None:
    # What lives as long as the process: without this, each full collection walks it. Some hundred objects of
    # it are garbage; to find them now would be the one walk that takes longest.
    gc.freeze()
    gc.enable()
