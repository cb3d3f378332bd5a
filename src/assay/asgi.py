"""The service, wired from the environment: ``uvicorn assay.asgi:create_app --factory``."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
from fastapi import FastAPI

from assay import service
from assay.estimators import load_artifact
from assay.exceptions import AssayError, ConfigError
from assay.registry import fetch_version, find_production
from assay.runfolder import RunFolder
from assay.service import Limits, Missing, Models, Served
from assay.settings import Settings, read_settings
from assay.telemetry import Counters

logger = logging.getLogger(__name__)

RETRY_SECONDS = 15.0
"""Pause between two attempts to load what could not be loaded."""


def create_app() -> FastAPI:
    """Return the service that the ``ASSAY_*`` settings describe."""
    return build_app(read_settings())


def build_app(
    settings: Settings, *, run: RunFolder | None = None, retry_seconds: float = RETRY_SECONDS
) -> FastAPI:
    """Return the service over the production version of every task, or the folders of ``settings.models``.

    A registry that is down or empty and an artifact that is damaged do not stop the start: what is missing
    is named under ``/health``, and loaded from the registry in the background as soon as it can be.
    ``run`` is what the processes of one service share; without it this one is alone.
    Raises ConfigError when two folders decide the same task.
    """
    models = Models(default_task=settings.default_task)
    if settings.models:
        _load_folders(models, [Path(part.strip()) for part in settings.models.split(",") if part.strip()])
    else:
        _load_production(models, settings)
    _freeze()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            if not settings.models:
                group.start_soon(_keep_loading, models, settings, retry_seconds)
            yield
            group.cancel_scope.cancel()

    limits = Limits(
        max_texts=settings.max_texts,
        max_body_bytes=settings.max_body_bytes,
        max_upload_bytes=settings.max_upload_bytes,
    )
    return service.create_app(
        models, metrics=Counters(run.metrics if run else None), limits=limits, lifespan=lifespan
    )


def _freeze() -> None:
    # Vocabularies live as long as the process: without this, each full collection walks them.
    gc.collect()
    gc.freeze()


async def _keep_loading(models: Models, settings: Settings, retry_seconds: float) -> None:
    while not models.complete:
        await anyio.sleep(retry_seconds)
        before = len(models.served)
        await anyio.to_thread.run_sync(_load_production, models, settings, abandon_on_cancel=True)
        if len(models.served) > before:
            _freeze()


def _load_folders(models: Models, folders: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for folder in folders:
        try:
            cascade = load_artifact(folder)
        except Exception as error:  # noqa: BLE001 - the edge: one bad artifact must not stop the others
            _refuse(models, folder.name, Missing(reason=_reason(error)))
            continue
        task = cascade.task.name
        if task in seen:
            raise ConfigError(
                f"ASSAY_MODELS names two folders for the task {task!r}: {str(seen[task])!r} and "
                f"{str(folder)!r}. Keep one.",
                task=task,
            )
        seen[task] = folder
        _serve(models, Served(cascade=cascade))


def _load_production(models: Models, settings: Settings) -> None:
    try:
        found = find_production(settings.store)
    except AssayError as error:
        _explain(models, error.message)
        return
    if not found:
        _explain(models, "The registry has no production version.")
    for each in found:
        if each.task in models.served:
            continue
        try:
            folder = fetch_version(settings.store, each, settings.cache)
            cascade = load_artifact(folder).at_version(each.number)
        except Exception as error:  # noqa: BLE001 - the edge: one bad artifact must not stop the others
            reason = _reason(error)
            missing = Missing(reason=reason, model=each.model, version=each.number, stage=each.stage)
            _refuse(models, each.task, missing)
        else:
            _serve(models, Served(cascade=cascade, stage=each.stage))


def _reason(error: Exception) -> str:
    if isinstance(error, AssayError):
        return error.message
    logger.error("Loading failed in an unexpected way", exc_info=error)
    return f"{type(error).__name__}: {error}"


def _serve(models: Models, served: Served) -> None:
    models.serve(served)
    task, cascade = served.cascade.task, served.cascade
    logger.info(
        "Serving the task %s: %s version %s", task.name, task.model, cascade.version or "unregistered"
    )


def _refuse(models: Models, task: str, missing: Missing) -> None:
    known = models.missing.get(task)
    models.refuse(task, missing)
    if missing != known:
        logger.error("Not serving the task %s: %s", task, missing.reason)


def _explain(models: Models, absence: str) -> None:
    if absence != models.absence:
        logger.warning("No models were found: %s", absence)
    models.absence = absence
