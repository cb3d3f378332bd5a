"""A training run in MLflow: what was trained on, how, how well, and every file of it."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assay.config import Task
from assay.exceptions import ArtifactError, RegistryError
from assay.registry.account import account
from assay.registry.client import Client, code_of
from assay.registry.pyfunc import FILE, describe_model
from assay.registry.registration import MODEL_FOLDER

REPORT_FOLDER = "report"
BATCH = 100
"""MLflow's limit of parameters or tags in one call."""
METRICS_AT_ONCE = 1_000
"""MLflow's limit of metrics in one call."""
TRAINING = {"mlflow.experimentKind": "custom_model_development"}
"""Without it MLflow's pages open an experiment as one about language models."""
DIGEST_LENGTH = 36
"""MLflow's limit for the digest of a dataset; the whole fingerprint is a tag."""


def log_run(
    client: Client,
    task: Task,
    *,
    artifact: Path,
    report: Path,
    metrics: Mapping[str, float],
    params: Mapping[str, Any],
    tags: Mapping[str, str],
    log: Path | None,
    history: Mapping[str, Sequence[tuple[int, float]]],
    folders: Mapping[str, Path],
) -> str:
    """Log one run with its files and return its id.

    A run that is interrupted is marked FAILED or KILLED; it never becomes a version. Raises ArtifactError
    when the artifact has no readable manifest, RegistryError, RegistryUnavailable.
    """
    manifest = _read_manifest(artifact)
    with client.session() as mlflow:
        experiment = _ensure_experiment(client, mlflow, task)
        described = _tags(task, manifest, tags)
        run = mlflow.create_run(experiment, run_name=f"{task.name}-{manifest['digest'][:8]}", tags=described)
        run_id: str = run.info.run_id
        with _finished(mlflow, run_id):
            _log_values(mlflow, run_id, metrics, params)
            _log_history(mlflow, run_id, history)
            _log_dataset(mlflow, run_id, manifest.get("dataset", {}))
            mlflow.log_artifacts(run_id, str(artifact), MODEL_FOLDER)
            mlflow.log_artifacts(run_id, str(report), REPORT_FOLDER)
            for name, folder in folders.items():
                mlflow.log_artifacts(run_id, str(folder), name)
            if log is not None:
                mlflow.log_artifact(run_id, str(log))
            _log_model_file(mlflow, run_id)
    return run_id


def metric_name(name: str) -> str:
    """Return a name that MLflow takes: ``f1.a+b`` -> ``f1.a_2b_b``, what it forbids as its code point."""
    return re.sub(r"[^\w/.\- :]", lambda found: f"_{ord(found[0]):x}_", name)


def _read_manifest(artifact: Path) -> dict[str, Any]:
    path = artifact / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{str(artifact)!r} is not an artifact: {path.name} cannot be read ({error}).", folder=artifact
        ) from error
    return manifest


def _ensure_experiment(client: Client, mlflow: Any, task: Task) -> str:
    """Return the id of the task's experiment, made on first need."""
    location = None
    if client.store.kind != "http":
        folder = re.sub(r"[^\w.-]+", "-", task.experiment)
        location = (client.home / "artifacts" / folder).absolute().as_uri()
    try:
        created: str = mlflow.create_experiment(task.experiment, artifact_location=location, tags=TRAINING)
    except Exception as error:
        if code_of(error) != "RESOURCE_ALREADY_EXISTS":
            raise
        existing = mlflow.get_experiment_by_name(task.experiment)
        if existing.lifecycle_stage != "active":
            raise RegistryError(
                f"The experiment {task.experiment!r} was deleted in MLflow. Restore it with: "
                f"mlflow experiments restore --experiment-id {existing.experiment_id}; "
                "or give the task another 'experiment'."
            ) from error
        created = existing.experiment_id
    return created


def _tags(task: Task, manifest: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, str]:
    """Return a run's tags; those named ``mlflow.*`` fill the columns of MLflow's pages."""
    described = {
        "assay.task": task.name,
        "assay.digest": manifest["digest"],
        "mlflow.source.name": "assay",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": account(),
    }
    if manifest.get("git_commit"):
        described["mlflow.source.git.commit"] = manifest["git_commit"]
    return described | {key: str(value) for key, value in tags.items()}


@contextmanager
def _finished(mlflow: Any, run_id: str) -> Iterator[None]:
    """Mark the run as finished, or as failed or killed when the block breaks."""
    try:
        yield
        mlflow.set_terminated(run_id, "FINISHED")
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        try:
            mlflow.set_terminated(run_id, status)
        except Exception as second:  # noqa: BLE001  # the first error says what happened
            error.add_note(f"Run {run_id} could not be marked {status}: {second}")
        if isinstance(error, OSError):
            raise RegistryError(
                f"The files of run {run_id!r} could not be kept: {error}. "
                f"The run is marked {status}; free the disk or check the rights, then train again.",
                run_id=run_id,
            ) from error
        raise


def _log_values(mlflow: Any, run_id: str, metrics: Mapping[str, float], params: Mapping[str, Any]) -> None:
    from mlflow.entities import Metric, Param

    now = time.time_ns() // 1_000_000
    mlflow.log_batch(
        run_id, metrics=[Metric(metric_name(key), float(value), now, 0) for key, value in metrics.items()]
    )
    listed = iter([Param(metric_name(key), str(value)) for key, value in params.items()])
    while batch := list(islice(listed, BATCH)):
        mlflow.log_batch(run_id, params=batch)


def _log_history(mlflow: Any, run_id: str, history: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    """Log the values that metrics had step by step, which MLflow draws as curves."""
    from mlflow.entities import Metric

    now = time.time_ns() // 1_000_000
    listed = iter(
        [
            Metric(metric_name(key), float(value), now, step)
            for key, values in history.items()
            for step, value in values
        ]
    )
    while batch := list(islice(listed, METRICS_AT_ONCE)):
        mlflow.log_batch(run_id, metrics=batch)


def _log_dataset(mlflow: Any, run_id: str, dataset: Mapping[str, Any]) -> None:
    """Log the data under MLflow's own notion of a dataset, which its run table shows as a column."""
    if not dataset.get("fingerprint"):
        return
    from mlflow.entities import Dataset, DatasetInput

    described = Dataset(
        name=str(dataset.get("name", "")),
        digest=str(dataset["fingerprint"])[:DIGEST_LENGTH],
        source_type="assay",
        source=json.dumps(dict(dataset), ensure_ascii=False),
        profile=json.dumps(dataset.get("rows", {}), ensure_ascii=False),
    )
    mlflow.log_inputs(run_id, datasets=[DatasetInput(described)])
    mlflow.set_tag(run_id, "dataset_fingerprint", dataset["fingerprint"])


def _log_model_file(mlflow: Any, run_id: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        path.write_text(describe_model(run_id), encoding="utf-8")
        mlflow.log_artifact(run_id, str(path), MODEL_FOLDER)
