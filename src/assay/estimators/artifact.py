"""The artifact folder: saved whole or not at all, verified before it may answer."""

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from assay.config import Task, faults, read_task
from assay.estimators.cascade import Cascade
from assay.estimators.encoder.sessions import Runtime
from assay.estimators.golden import golden_lines, read_golden
from assay.estimators.manifest import (
    GOLDEN,
    NETWORK,
    OUT_OF_FOLD,
    PROFILE,
    QUANTIZATION,
    REPORT,
    RULES,
    THRESHOLDS,
    Manifest,
    digest_of,
    hash_file,
    read_manifest,
)
from assay.estimators.profile import Profile, profile_in
from assay.estimators.rules import NO_RULES, Rules, read_rules
from assay.estimators.stored_model import APART, Spec, read_model, read_spec
from assay.estimators.thresholds import OperatingPoint
from assay.exceptions import ArtifactError, ConfigError, MissingExtra

if TYPE_CHECKING:
    from assay.estimators.transformer import QuantizationCost


def save_artifact(
    cascade: Cascade,
    folder: Path,
    *,
    golden: Sequence[str],
    provenance: Mapping[str, Any],
) -> Manifest:
    """Write a cascade as an artifact folder and return its manifest.

    ``golden`` are texts whose decisions are recorded; ``provenance`` holds the manifest's ``libraries``,
    ``git_commit`` and ``dataset``, and ``estimator`` where it is not the task's. The folder must not exist;
    it appears whole, by one rename, or not at all. Raises ArtifactError.
    """
    if folder.exists():
        raise ArtifactError(f"{str(folder)!r} exists; an artifact is never written over.", folder=folder)
    if not golden:
        raise ArtifactError("An artifact must prove what it decides: give at least one golden text.")
    # A name that no other process or thread has, nor one that was killed: process ids recur in containers.
    draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.draft")
    try:
        draft.mkdir(parents=True)
        _write_files(cascade, draft, golden)
        manifest = _describe(cascade, draft, provenance)
        (draft / "manifest.json").write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for path in (*draft.iterdir(), draft):
            _flush(path)
        draft.rename(folder)
        _flush(folder.parent)
    except OSError as error:
        raise ArtifactError(
            f"{str(folder)!r} could not be written: {error.strerror or error}. Nothing of it was kept.",
            folder=folder,
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def attach_report(folder: Path, report: str, profile: Profile | None = None) -> Manifest:
    """Add the text of report.json, and a profile, to an artifact folder; return its new manifest.

    The digest stays. The manifest is replaced last and at once: a crash before leaves the artifact as it was.
    Raises ArtifactError when the folder has a report, is damaged or cannot be written.
    """
    manifest = read_manifest(folder)
    if REPORT in manifest.files:
        raise ArtifactError(f"{str(folder)!r} has a report; it is never written over.", folder=folder)
    annexes, draft = {REPORT: report}, folder / ".manifest.draft"
    if profile:
        annexes[PROFILE] = profile.to_json()
    try:
        for name, text in annexes.items():
            (folder / name).write_text(text, encoding="utf-8")
            _flush(folder / name)
        hashes = {name: hash_file(folder / name) for name in annexes}
        manifest = manifest.model_copy(update={"files": manifest.files | hashes})
        draft.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        _flush(draft)
        draft.replace(folder / "manifest.json")
        _flush(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ArtifactError(
            f"The report could not be added to {str(folder)!r}: {error.strerror or error}.", folder=folder
        ) from error
    return manifest


def load_artifact(
    folder: Path, *, private: bool = False, shared: Path | None = None, runtime: Runtime | None = None
) -> Cascade:
    """Return the cascade of an artifact folder, its hashes and golden decisions verified.

    No code from the folder is run. The weights are mapped from their file, which must then stay as it is;
    ``private`` copies them into memory, for a process that outlives the folder, and ``shared`` is a folder
    of several such processes, which have one copy between them; ``runtime`` says how an encoder is run.
    Raises ArtifactError, naming what is damaged.

    >>> cascade = load_artifact(Path("tests/artifacts/v1/three-labels"))
    >>> cascade.labels
    ('other', 'spam', 'ham')
    >>> cascade.predict(["free prize, call now", "lunch tomorrow?"])
    ['spam', 'ham']
    """
    apart = private or shared is not None
    manifest = read_manifest(folder, besides=APART if apart else (NETWORK,))
    spec = read_spec(folder)
    try:
        point = OperatingPoint.model_validate_json((folder / "operating_point.json").read_bytes())
        task = read_task(folder / "task.toml")
        rules = _read_rules(task, manifest, folder)
    except ValidationError as error:
        raise ArtifactError(f"{folder} is not consistent:\n{faults(error)}", folder=folder) from error
    except ConfigError as error:
        raise ArtifactError(error.message, folder=folder) from error
    _check_together(folder, manifest, task, spec, rules, point)
    model = read_model(folder, spec, manifest, private=private, shared=shared, runtime=runtime)
    cascade = Cascade(
        task=task,
        model=model,
        rules=rules,
        operating_point=point,
        manifest=manifest,
        profile=profile_in(folder, manifest),
        quantization=_read_quantization(folder, manifest),
    )
    read_golden(folder).check(cascade)
    return cascade


def _write_files(cascade: Cascade, draft: Path, golden: Sequence[str]) -> None:
    texts = {
        "task.toml": _toml(cascade),
        "model.json": cascade.model.spec.model_dump_json(indent=2) + "\n",
        "operating_point.json": cascade.operating_point.model_dump_json(indent=2) + "\n",
        GOLDEN: golden_lines(cascade, golden),
    }
    if cascade.rules.all:
        texts[RULES] = cascade.rules.to_toml()
    if cascade.selection and cascade.selection.tables:
        from assay.estimators.annexes import tables_to_json

        texts[THRESHOLDS] = tables_to_json(cascade.selection.tables)
    if cascade.quantization:
        texts[QUANTIZATION] = cascade.quantization.to_json()
    for name, text in texts.items():
        (draft / name).write_text(text, encoding="utf-8")
    cascade.model.write(draft)
    if cascade.selection and cascade.selection.held_out:
        cascade.selection.held_out.write(draft / OUT_OF_FOLD)


def _toml(cascade: Cascade) -> str:
    try:
        import tomli_w
    except ImportError as error:
        raise MissingExtra("Saving an artifact", package="tomli-w", extra="train") from error
    task = cascade.task.model_copy(update={"rules": RULES if cascade.rules.all else ""})
    return tomli_w.dumps(json.loads(task.model_dump_json(exclude_none=True)))


def _check_together(
    folder: Path, manifest: Manifest, task: Task, spec: Spec, rules: Rules, point: OperatingPoint
) -> None:
    """Raise ArtifactError unless all parts speak of the same task, labels and rules."""
    if not spec.labels == task.labels == manifest.labels or not point.fits(task.labels):
        raise ArtifactError(
            f"{folder}: task, model and operating point speak of different labels.", folder=folder
        )
    evidence, deciding = ([rule.id for rule in part] for part in (rules.evidence, rules.deciding))
    if list(spec.rules) != evidence or sorted(point.rules) != sorted(deciding):
        raise ArtifactError(
            f"{folder}: rules, model and operating point speak of different rules.", folder=folder
        )
    if manifest.task != task.name:
        raise ArtifactError(
            f"{folder}: the manifest names the task {manifest.task!r}, task.toml {task.name!r}.",
            folder=folder,
        )


def _read_quantization(folder: Path, manifest: Manifest) -> "QuantizationCost | None":
    if QUANTIZATION not in manifest.files:
        return None
    from assay.estimators.annexes import quantization_in

    return quantization_in(folder, manifest)


def _read_rules(task: Task, manifest: Manifest, folder: Path) -> Rules:
    path = folder / RULES if RULES in manifest.files else None
    if task.rules != str(path or ""):
        raise ArtifactError(
            f"{folder}: task.toml names the rules {task.rules!r}; "
            f"the folder has {RULES if path else 'none'}.",
            folder=folder,
        )
    if path is None:
        return NO_RULES
    return read_rules(path, labels=task.labels, positive=task.positive, folding=task.folding)


def _describe(cascade: Cascade, draft: Path, provenance: Mapping[str, Any]) -> Manifest:
    files = {path.name: hash_file(path) for path in sorted(draft.iterdir())}
    described = {
        "format": 1,
        "task": cascade.task.name,
        "labels": cascade.labels,
        "estimator": cascade.task.estimator.family,
        "digest": digest_of(files),
        "files": files,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Manifest.model_validate(described | dict(provenance))


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
