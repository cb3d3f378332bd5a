"""Registered versions: what one is, how it is written and how it is found."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from assay.config import Task
from assay.exceptions import RegistryError
from assay.registry.client import Client, code_of
from assay.registry.resolve import describe, not_found, pick

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


@dataclass(frozen=True)
class Version:
    """A registered artifact.

    ``gate`` is ``"passed"``, ``"blocked"`` or ``"none"``; ``tags`` are all that MLflow keeps with it.
    """

    model: str
    number: str
    task: str
    stage: str
    aliases: tuple[str, ...]
    run_id: str
    source: str
    digest: str
    created_at: datetime
    gate: str
    tags: Mapping[str, str]


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
                **gate_tags(gate),
            },
        )
    return find(client, task.model, str(created.version))


def record_gate(client: Client, version: Version, gate: "GateDecision") -> Version:
    """Write a new gate decision to a version; raises RegistryError when it judged another artifact."""
    _check_judged(gate, version.digest)
    with client.session() as mlflow:
        # The outcome last: a version never reads as passed beside the rows of an older decision.
        for key, value in reversed(gate_tags(gate).items()):
            mlflow.set_model_version_tag(version.model, version.number, key, value)
    return find(client, version.model, version.number)


def gate_tags(gate: "GateDecision | None") -> dict[str, str]:
    """Return a gate decision as tags; the outcome comes first."""
    if gate is None:
        return {"assay.gate": "none"}
    return {
        "assay.gate": "passed" if gate.passed else "blocked",
        "assay.gate.rows": gate.rows_fingerprint,
        "assay.gate.champion": gate.champion_version or "",
        "assay.gate.decision": json.dumps(gate.to_dict(), ensure_ascii=False),
    }


def list_versions(client: Client, model: str) -> list[Version]:
    """Return every version of a model, oldest first; none when there is no such model."""
    with client.session() as mlflow:
        try:
            aliases = mlflow.get_registered_model(model).aliases
        except Exception as error:
            if code_of(error) == "RESOURCE_DOES_NOT_EXIST":
                return []
            raise
        quote = '"' if "'" in model else "'"
        found, token = [], None
        while token != "":
            page = mlflow.search_model_versions(
                f"name={quote}{model}{quote}", max_results=200, page_token=token
            )
            found += list(page)
            token = page.token or ""
    return sorted((_version(each, aliases) for each in found), key=lambda each: int(each.number))


def find(client: Client, model: str, reference: str) -> Version:
    """Return a version by number, alias or ``"latest"``; raises VersionNotFound listing what exists."""
    versions = list_versions(client, model)
    number = pick(reference, [(each.number, each.aliases) for each in versions])
    for version in versions:
        if version.number == number:
            return version
    with client.session() as mlflow:
        models = [] if versions else sorted(each.name for each in mlflow.search_registered_models())
    raise not_found(model, reference, [describe(each.number, each.aliases) for each in versions], models)


def _version(each: Any, aliases: Mapping[str, Any]) -> Version:
    tags = dict(each.tags)
    return Version(
        model=each.name,
        number=str(each.version),
        task=tags.get("assay.task", ""),
        stage=each.current_stage,
        aliases=tuple(sorted(alias for alias, number in aliases.items() if str(number) == str(each.version))),
        run_id=each.run_id or "",
        source=each.source,
        digest=tags.get("assay.digest", ""),
        created_at=datetime.fromtimestamp(each.creation_timestamp / 1000, UTC),
        gate=tags.get("assay.gate", "none"),
        tags=tags,
    )


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
