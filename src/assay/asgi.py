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
from assay.config import Settings, read_settings
from assay.estimators import Cascade, load_artifact
from assay.exceptions import ArtifactError, AssayError, ConfigError
from assay.registry import Found, fetch_version, find_production
from assay.service import Missing, Models, Served
from assay.telemetry import Counters

logger = logging.getLogger(__name__)

RETRY_SECONDS = 15.0
"""Pause between two attempts to load what could not be loaded."""


def create_app() -> FastAPI:
    """Return the service that the ``ASSAY_*`` settings describe."""
    return build_app(read_settings())


def build_app(settings: Settings, *, retry_seconds: float = RETRY_SECONDS) -> FastAPI:
    """Return the service over the production version of every task, or the folders of ``settings.models``.

    A registry that is down or empty and an artifact that is damaged do not stop the start: what is missing is
    named under ``/health``, and loaded in the background as soon as it can be.
    """
    models = Models(default_task=settings.default_task)
    load(models, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(_keep_loading, models, settings, retry_seconds)
            yield
            group.cancel_scope.cancel()

    return service.create_app(models, metrics=Counters(), lifespan=lifespan)


def load(models: Models, settings: Settings) -> None:
    """Load what the settings name and the models lack; what fails is refused by name, with the reason."""
    before = len(models.served)
    if settings.models:
        _load_folders(models, settings)
    else:
        _load_production(models, settings)
    if len(models.served) > before:
        # The vocabularies live as long as the process: without this, each full collection walks them.
        gc.collect()
        gc.freeze()


async def _keep_loading(models: Models, settings: Settings, retry_seconds: float) -> None:
    while not models.complete:
        await anyio.sleep(retry_seconds)
        await anyio.to_thread.run_sync(load, models, settings, abandon_on_cancel=True)


def _load_folders(models: Models, settings: Settings) -> None:
    folders: dict[str, Path] = {}
    for folder in (Path(part.strip()) for part in settings.models.split(",") if part.strip()):
        try:
            cascade = load_artifact(folder)
        except AssayError as error:
            _refuse(models, folder.name, Missing(reason=error.message))
            continue
        task = cascade.task.name
        if task in folders:
            raise ConfigError(
                f"ASSAY_MODELS names two folders for the task {task!r}: {str(folders[task])!r} and "
                f"{str(folder)!r}. Keep one."
            )
        folders[task] = folder
        if task not in models.served:
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
            cascade = _load_version(each, settings)
        except AssayError as error:
            missing = Missing(reason=error.message, model=each.model, version=each.version, stage=each.stage)
            _refuse(models, each.task, missing)
        else:
            _serve(models, Served(cascade=cascade, stage=each.stage))


def _load_version(found: Found, settings: Settings) -> Cascade:
    """Return the cascade of a version; raises ArtifactError when the folder holds something else."""
    cascade = load_artifact(fetch_version(settings.store, found, settings.home / "cache"))
    if (cascade.task.name, cascade.digest) != (found.task, found.digest):
        raise ArtifactError(
            f"The registry says that {found.model} version {found.version} decides {found.task!r} with the "
            f"digest {found.digest!r}, but its artifact holds {cascade.task.name!r} with {cascade.digest!r}. "
            f"Restore the artifact, or promote another version."
        )
    return cascade.at_version(found.version)


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
