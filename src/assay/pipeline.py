"""Train, evaluate, gate, register: the main job, from a task to a version. The file to read first."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.config import Task
from assay.datasets import Dataset, Rows, add_training
from assay.estimators import (
    Cascade,
    Manifest,
    TrainingRecord,
    attach_report,
    check_trainable,
    load_artifact,
    profile_of,
    save_artifact,
    train_cascade,
)
from assay.evaluation import Report, training_plot, write_report
from assay.gate import GateDecision, decide_gate
from assay.judging import evaluate_folder, judge_production, read_rows
from assay.loading import open_registry
from assay.progress import Progress
from assay.provenance import git_commit, library_versions
from assay.registry import Registry, Version, who_of
from assay.settings import Settings

GOLDEN_TEXTS = 50


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a candidate: its version, what evaluation found, and what the gate said."""

    version: Version
    report: Report
    gate: GateDecision
    promoted: bool

    def lines(self) -> list[str]:
        """Return the outcome for people."""
        return [*self.report.lines(), *self.gate.lines(), fate_of(self.version, promoted=self.promoted)]


def fate_of(version: Version, *, promoted: bool) -> str:
    """Return what became of a new version, and what to do with it, in one sentence."""
    name = f"{version.model} version {version.number}"
    promote = f"assay promote {version.task} {version.number}"
    if promoted:
        return f"{name} is now in production. Serve it: assay serve"
    if version.gate == "passed":
        return f"{name} is registered. Make it production: {promote}"
    if version.gate == "blocked":
        return (
            f"{name} is registered and blocked; what is served has not changed. Bring more or better rows, "
            "or a policy that suits the task ([gate] in its file: its floors, and what may not fall). "
            f"As it is: {promote} --override REASON"
        )
    gate = f"assay gate {version.task} {version.number} --data FILE"
    return f"{name} is registered, not gated. Next: {gate}; or, as it is: {promote} --override REASON"


def run_pipeline(
    task: Task,
    settings: Settings,
    *,
    progress: Progress,
    promote: bool = False,
    more: Rows | None = None,
) -> Outcome:
    """Return the registered version of a task trained on its data, and the gate's decision about it.

    ``more`` rows are trained on as well, where that touches nothing that is held out. What is served changes
    only with ``promote``, and only when the gate passes. Raises AssayError; a run that breaks registers
    nothing.
    """
    begun = len(progress.lines)
    check_trainable(task)  # rules and a base that cannot be used stop the run before any row is read
    dataset = read_rows(task, settings, progress=progress)
    if more is not None:
        dataset, account = add_training(dataset, more, task.data, name=task.name)
        for line in account:
            progress.say(f"  {line}")
    started = time.monotonic()
    work = settings.home / "training" / task.name
    cascade = train_cascade(task, dataset.train, dataset.validation, work=work, progress=progress)
    seconds = time.monotonic() - started
    return register_candidate(
        cascade, dataset, settings, seconds=seconds, begun=begun, promote=promote, progress=progress
    )


def register_candidate(
    cascade: Cascade,
    dataset: Dataset,
    settings: Settings,
    *,
    seconds: float,
    begun: int,
    promote: bool,
    progress: Progress,
) -> Outcome:
    """Return what became of a new cascade: saved, evaluated on the held-out rows, gated and registered.

    What is evaluated is what was saved, loaded back and verified as a service verifies it. ``seconds`` is how
    long it took to make; the run's log begins with line ``begun`` of the progress.
    """
    task, registry = cascade.task, open_registry(settings)
    golden, provenance = golden_texts(dataset), provenance_of(dataset)
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="candidate-") as work:
        folder = Path(work)
        save_artifact(cascade, folder / "model", golden=golden, provenance=provenance)
        training = {"seconds": seconds, **made_with()}
        report = evaluate_folder(folder / "model", dataset, training=training, progress=progress)
        gate = decide_gate(task.gate, report, judge_production(task, dataset, settings, progress=progress))
        with progress.step("register the candidate"):
            log = progress.lines[begun:]
            run_id, manifest = log_candidate(cascade, dataset, folder, report, gate, registry, seconds, log)
            version = registry.register(task, run_id, manifest=manifest, gate=gate)
    if cascade.training is not None:
        cascade.training.forget()
    if promote and gate.passed:
        version = registry.promote(
            task.model, version.number, who=who_of(settings), expected=gate.champion_version or ""
        )
    return Outcome(version=version, report=report, gate=gate, promoted=promote and gate.passed)


def log_candidate(
    cascade: Cascade,
    dataset: Dataset,
    folder: Path,
    report: Report,
    gate: GateDecision,
    registry: Registry,
    seconds: float,
    lines: list[str],
) -> tuple[str, Manifest]:
    """Return the id of the run that keeps a candidate with all that is known of it, and its manifest.

    ``folder`` holds the artifact in ``model``; report, profile, log and training are written beside it.
    """
    profile = profile_of(load_artifact(folder / "model"), dataset.test.texts)
    manifest = attach_report(folder / "model", report.to_json(), profile)
    write_report(report, folder / "report", gate=gate.lines())
    log = folder / "training.log"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    history, folders = kept_of(cascade.training, folder / "training")
    run_id = registry.log_run(
        cascade.task,
        artifact=folder / "model",
        report=folder / "report",
        metrics=report.flat() | {"training_seconds": seconds},
        params=parameters(cascade, dataset),
        tags={"git_commit": manifest.git_commit or "", **manifest.libraries},
        log=log,
        history=history,
        folders=folders,
    )
    return run_id, manifest


def kept_of(
    record: TrainingRecord | None, folder: Path
) -> tuple[dict[str, list[tuple[int, float]]], dict[str, Path]]:
    """Return what a run keeps of an encoder's training: metrics epoch by epoch, and folders of files.

    Written are the record, its curves as a plot, and the weights with their tokenizer as Hugging Face's
    libraries load them.
    """
    if record is None:
        return {}, {}
    folder.mkdir()
    (folder / "training.json").write_text(record.to_json(), encoding="utf-8")
    folders = {"training": folder}
    if record.epochs:
        (folder / "curves.png").write_bytes(training_plot(record))
    if record.checkpoint is not None:
        folders["training/checkpoint"] = record.checkpoint
    return record.history(), folders


def made_with() -> dict[str, Any]:
    """Return the commit and the libraries at work."""
    return {"git_commit": git_commit(), "libraries": library_versions()}


def provenance_of(dataset: Dataset | None) -> dict[str, Any]:
    """Return what a manifest says of where an artifact comes from."""
    if dataset is None:
        return made_with()
    described: dict[str, Any] = {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "rows": dataset.counts(),
    }
    if dataset.added is not None:
        described["feedback"] = {"rows": len(dataset.added), "fingerprint": dataset.added.fingerprint}
    return {**made_with(), "dataset": described}


def golden_texts(dataset: Dataset) -> list[str]:
    """Return the texts whose decisions an artifact records: of the validation rows, where there are any."""
    return (dataset.validation.texts or dataset.train.texts)[:GOLDEN_TEXTS]


def parameters(cascade: Cascade, dataset: Dataset) -> dict[str, Any]:
    """Return what a run logs as parameters: data, sizes, what was chosen, and every hyperparameter."""
    task, point, added = cascade.task, cascade.operating_point, dataset.added
    fed = {} if added is None else {"feedback_rows": len(added), "feedback_fingerprint": added.fingerprint}
    return {
        "dataset": dataset.name,
        "dataset_fingerprint": dataset.fingerprint,
        "train_rows": len(dataset.training),
        **fed,
        "test_rows": len(dataset.test),
        "test_size": task.data.test,
        "random_state": task.estimator.seed,
        "threshold": point.threshold,
        "threshold_goal": point.goal,
        "calibration": point.calibration.method,
        "rules": len(cascade.rules.active),
        **{f"estimator.{key}": value for key, value in task.estimator.model_dump().items()},
        **(cascade.training.facts if cascade.training else {}),
    }
