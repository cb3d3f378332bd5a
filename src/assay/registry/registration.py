"""From a finished run to a registered version, and a gate's decision to the version that it judged."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from assay.config import Task
from assay.exceptions import RegistryError
from assay.registry.client import Client, code_of
from assay.registry.gating import OUTCOME, ROWS, gate_tags
from assay.registry.versions import Version, pick, read_model

if TYPE_CHECKING:
    from assay.gate import GateDecision

MODEL_FOLDER = "model"
"""The artifact's folder among a run's artifacts."""

TEXT_FOR_PEOPLE = "Registered by Assay from run {run}."


class Described(Protocol):
    """What registering needs of a manifest."""

    @property
    def digest(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def labels(self) -> tuple[str, ...]: ...


def register_version(
    client: Client, task: Task, run_id: str, *, manifest: Described, gate: "GateDecision | None"
) -> Version:
    """Create the next version of the task's model from a finished run, in one call with all its tags.

    Raises RegistryError when the run is not finished, its artifacts are not all there or they are not
    those of ``manifest``, or when the gate judged another artifact.
    """
    if manifest.task != task.name:
        raise RegistryError(
            f"The artifact decides {manifest.task!r}; it cannot become a version of the task {task.name!r}.",
            task=task.name,
        )
    if gate is not None:
        _check_judged(gate, manifest.digest)
    at = datetime.now(UTC)
    with client.session() as mlflow:
        run = mlflow.get_run(run_id)
        if run.info.status != "FINISHED":
            raise RegistryError(
                f"Run {run_id!r} is {run.info.status}, so its artifacts may be incomplete; "
                "only a finished run becomes a version. Train again.",
                run_id=run_id,
            )
        sha256 = _check_artifact(mlflow, run_id, manifest)
        _ensure_model(mlflow, task)
        if gate is not None:
            _keep_decision(mlflow, run_id, gate, at)
            # Before the version: a crash in between asks for one gating more, never for one fewer.
            mlflow.set_registered_model_tag(task.model, ROWS, gate.rows_fingerprint)
        created = mlflow.create_model_version(
            task.model,
            source=f"{run.info.artifact_uri}/{MODEL_FOLDER}",
            run_id=run_id,
            description=TEXT_FOR_PEOPLE.format(run=run_id),
            tags={
                "assay.task": task.name,
                "assay.labels": json.dumps(list(manifest.labels), ensure_ascii=False),
                "assay.digest": manifest.digest,
                "assay.manifest": sha256,
                **gate_tags(gate, at),
            },
        )
    return pick(client.store, read_model(client.store, task.model), str(created.version))


def record_gate(client: Client, version: Version, gate: "GateDecision", *, current: bool) -> Version:
    """Write a new gate decision to a version and return the version.

    ``current`` makes the rows that it was made on the task's current ones.

    Raises RegistryError when it judged another artifact or cannot be kept with the run.
    """
    _check_judged(gate, version.digest)
    at = datetime.now(UTC)
    with client.session() as mlflow:
        _keep_decision(mlflow, version.run_id, gate, at)
        # While the tags change it reads as undecided, never as passed by a mixture of two decisions.
        mlflow.set_model_version_tag(version.model, version.number, OUTCOME, "none")
        if current:
            mlflow.set_registered_model_tag(version.model, ROWS, gate.rows_fingerprint)
        for key, value in gate_tags(gate, at).items():
            mlflow.set_model_version_tag(version.model, version.number, key, value)
    return pick(client.store, read_model(client.store, version.model), version.number)


def _keep_decision(mlflow: Any, run_id: str, gate: "GateDecision", at: datetime) -> None:
    """Keep the whole decision among the run's files: the latest, and every one that was made."""
    text = json.dumps(gate.to_dict(), ensure_ascii=False, indent=1)
    try:
        # The one with the time first: the latest is always among them.
        mlflow.log_text(run_id, text, f"gates/{at:%Y%m%dT%H%M%S.%fZ}.json")
        mlflow.log_text(run_id, text, "gate.json")
    except OSError as error:
        raise RegistryError(
            f"The gate's decision could not be kept with the run {run_id!r}: {error}. "
            "Free the disk or check the rights, then gate again.",
            run_id=run_id,
        ) from error


def _check_judged(gate: "GateDecision", digest: str) -> None:
    if gate.candidate_digest != digest:
        raise RegistryError(
            f"The gate judged the artifact {gate.candidate_digest[:12]!r}, this one is {digest[:12]!r}. "
            "Evaluate and gate the artifact that is to be registered.",
            judged=gate.candidate_digest,
            digest=digest,
        )


def _check_artifact(mlflow: Any, run_id: str, manifest: Described) -> str:
    """Return the SHA-256 of the stored manifest.json; its files must be there and be the ones meant."""
    present = {Path(each.path).name for each in mlflow.list_artifacts(run_id, MODEL_FOLDER)}
    if "manifest.json" in present:
        with TemporaryDirectory() as folder:
            stored = Path(
                mlflow.download_artifacts(run_id, f"{MODEL_FOLDER}/manifest.json", folder)
            ).read_bytes()
        values = json.loads(stored)
        missing = sorted(set(values["files"]) - present)
        if values["digest"] == manifest.digest and not missing:
            return hashlib.sha256(stored).hexdigest()
        fault = (
            f"lacks {missing}" if missing else f"is {values['digest'][:12]!r}, not {manifest.digest[:12]!r}"
        )
    else:
        fault = "has no manifest.json"
    raise RegistryError(
        f"The artifact of run {run_id!r} {fault}; no version was created. Train again.", run_id=run_id
    )


def _ensure_model(mlflow: Any, task: Task) -> None:
    try:
        mlflow.create_registered_model(
            task.model, tags={"assay.task": task.name}, description=task.description
        )
    except Exception as error:
        if code_of(error) != "RESOURCE_ALREADY_EXISTS":
            raise
