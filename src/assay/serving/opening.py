"""An artifact to what can be served: loaded into memory of its own, verified, warmed up."""

import logging
from pathlib import Path

from assay.estimators import Cascade, load_artifact, read_golden
from assay.exceptions import AssayError, ConfigError
from assay.registry import Version, fetch_version, open_version
from assay.service import MetricsSink, Missing, Models, Served
from assay.serving.encoders import Encoders
from assay.settings import Settings

logger = logging.getLogger(__name__)

WARM_TEXTS = 16
"""Golden texts that are decided before the first request is."""


def open_served(
    settings: Settings, version: Version, *, shared: Path | None = None, encoders: Encoders | None = None
) -> Served:
    """Return a registered version, fetched, verified and ready to answer.

    Workers that name the same folder, ``shared``, have its weights in memory once. Raises AssayError when it
    cannot be had or is not what was registered.
    """
    folder = fetch_version(settings.store, version, settings.cache)
    return open_folder(folder, number=version.number, stage=version.stage, shared=shared, encoders=encoders)


def open_folder(
    folder: Path,
    *,
    number: str = "",
    stage: str = "None",
    shared: Path | None = None,
    encoders: Encoders | None = None,
) -> Served:
    """Return what an artifact folder holds, verified and ready to answer. Raises ArtifactError."""
    encoders = encoders or Encoders()
    loaded = load_artifact(folder, private=True, shared=shared, runtime=encoders.runtime)
    cascade = encoders.batching.over(loaded.at_version(number))
    golden = read_golden(folder)
    cascade.decide(golden.texts[:WARM_TEXTS])
    return Served(cascade=cascade, stage=stage, golden=golden)


def open_pinned(
    settings: Settings,
    model: str,
    number: str,
    *,
    shared: Path | None = None,
    encoders: Encoders | None = None,
) -> Cascade:
    """Return one version of a registered model; raises as ``open_served``, and VersionNotFound."""
    version, folder = open_version(settings.store, model, number, settings.cache)
    return open_folder(folder, number=version.number, shared=shared, encoders=encoders).cascade


def serve_folders(
    models: Models,
    listed: str,
    metrics: MetricsSink,
    *,
    shared: Path | None = None,
    encoders: Encoders | None = None,
) -> None:
    """Serve the artifact folders of a list, separated by commas; a damaged one is refused by name.

    Raises ConfigError when two folders decide the same task.
    """
    seen: dict[str, Path] = {}
    for folder in (Path(part.strip()) for part in listed.split(",") if part.strip()):
        try:
            served = open_folder(folder, shared=shared, encoders=encoders)
        except Exception as error:  # noqa: BLE001 - the edge: one bad artifact must not stop the others
            refuse(models, folder.name, Missing(reason=reason_of(error)))
            continue
        task = served.cascade.task.name
        if task in seen:
            raise ConfigError(
                f"ASSAY_MODELS names two folders for the task {task!r}: {str(seen[task])!r} and "
                f"{str(folder)!r}. Keep one.",
                task=task,
            )
        seen[task] = folder
        serve(models, served)
        metrics.serving(task, served.version)


def serve(models: Models, served: Served) -> None:
    """Let a cascade answer for its task, and say so."""
    models.serve(served)
    task = served.cascade.task
    logger.info("Serving the task %s: %s version %s", task.name, task.model, served.version or "unregistered")


def refuse(models: Models, task: str, missing: Missing) -> None:
    """Say why a version does not answer for a task; in the log once, however often it is tried."""
    seat = models.seat(task)
    if missing == seat.missing:
        return
    models.refuse(task, missing)
    if seat.served is None:
        logger.error("Not serving the task %s: %s", task, missing.reason)
    else:
        running = seat.served.version
        logger.error("Version %s goes on answering for the task %s: %s", running, task, missing.reason)


def reason_of(error: Exception) -> str:
    """Return an error in words; one that nobody foresaw is logged with its cause."""
    if isinstance(error, AssayError):
        return error.message
    logger.error("Loading failed in an unexpected way", exc_info=error)
    return f"{type(error).__name__}: {error}"
