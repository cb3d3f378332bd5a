"""What one command leaves for the next step of a pipeline (DVC, a CI job): JSON files, whole or not there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from assay.config import faults
from assay.exceptions import ConfigError
from assay.frozen import Frozen
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.datasets import Dataset
    from assay.gate import GateDecision
    from assay.pipeline import Outcome
    from assay.registry import Version


class Candidate(Frozen):
    """The version that a training registered, and what its gate said."""

    task: str
    model: str
    version: str
    digest: str
    run_id: str
    rows: str
    """Fingerprint of the rows it was judged on."""
    gate: Literal["passed", "blocked"]
    reasons: tuple[str, ...] = ()


def describe_candidate(outcome: "Outcome") -> dict[str, Any]:
    """Return what ``assay train --output`` writes; ``version_named`` reads it."""
    version, gate = outcome.version, outcome.gate
    candidate = Candidate(
        task=version.task,
        model=version.model,
        version=version.number,
        digest=version.digest,
        run_id=version.run_id,
        rows=outcome.report.rows_fingerprint,
        gate="passed" if gate.passed else "blocked",
        reasons=tuple(gate.reasons()),
    )
    return candidate.model_dump(mode="json")


def describe_decision(version: "Version", gate: "GateDecision") -> dict[str, Any]:
    """Return what ``assay gate --output`` writes: the version and the whole decision about it."""
    named = {"task": version.task, "model": version.model, "version": version.number}
    return named | gate.to_dict()


def describe_rows(dataset: "Dataset") -> dict[str, Any]:
    """Return what ``assay data check --output`` writes: source, audit, counts and fingerprint of the rows."""
    return {
        "source": dataset.name,
        "fingerprint": dataset.fingerprint,
        "counts": dataset.counts(),
        "audit": dataset.audit.to_dict(),
    }


def leave(values: Mapping[str, Any], path: Path) -> None:
    """Write values as a JSON file, its folder made when missing; an earlier file stays until this is whole.

    Raises DataError when the file cannot be written, OSError when its folder cannot be made.
    """
    from assay.scoring import replacing

    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        stream.write((json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def version_named(reference: str, model: str, settings: Settings) -> str:
    """Return the number of the version in a file of ``assay train --output``; other references as they are.

    Raises ConfigError when the file cannot be read, is about another model, or its version is another one in
    this registry; VersionNotFound when it is not there.
    """
    from assay.registry import find_version

    if not reference.endswith(".json"):
        return reference
    candidate = read_candidate(Path(reference))
    if candidate.model != model:
        raise ConfigError(
            f"{reference} is about a version of {candidate.model!r}, and the task's model is {model!r}. "
            "Name the file that training this task wrote, or a version.",
            path=reference,
        )
    digest = find_version(settings.store, model, candidate.version).digest
    if digest != candidate.digest:
        raise ConfigError(
            f"{reference} is about version {candidate.version} of {model!r} with the digest "
            f"{candidate.digest[:12]!r}; this registry's version {candidate.version} has {digest[:12]!r}. "
            "Name the registry that it was written for (ASSAY_HOME, ASSAY_TRACKING_URI), or train again.",
            path=reference,
        )
    return candidate.version


def read_candidate(path: Path) -> Candidate:
    """Return what a file of ``assay train --output`` says; raises ConfigError when it cannot be used."""
    try:
        return Candidate.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", path=path) from error
    except ValidationError as error:
        raise ConfigError(
            f"{path} is no file that `assay train --output` wrote:\n{faults(error)}", path=path
        ) from error
