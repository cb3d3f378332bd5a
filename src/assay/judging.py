"""A version on the rows of its task that are held out now: evaluated, and gated against production."""

from pathlib import Path
from typing import Any

from assay.config import Task
from assay.datasets import Dataset, load_dataset
from assay.estimators import load_artifact, read_held_out, read_quantization, read_tables
from assay.evaluation import Report, evaluate
from assay.exceptions import ArtifactError, DataError, VersionNotFound
from assay.gate import GateDecision, Unjudged, decide_gate
from assay.loading import open_registry
from assay.progress import Progress
from assay.registry import Version, open_version
from assay.settings import Settings


def read_rows(task: Task, settings: Settings, *, progress: Progress) -> Dataset:
    """Return the rows of a task by side, every drop said."""
    dataset = load_dataset(
        task.data, name=task.name, labels=task.labels, home=settings.home, progress=progress
    )
    for line in dataset.audit.lines():
        progress.say(f"  {line}")
    return dataset


def evaluate_version(task: Task, reference: str, settings: Settings, *, progress: Progress) -> Report:
    """Return the report of a registered version on the rows of a task that are held out now."""
    dataset = read_rows(task, settings, progress=progress)
    version, folder = open_version(settings.store, task.model, reference, settings.cache)
    return evaluate_folder(folder, dataset, task=task, version=version.number, progress=progress)


def gate_version(
    task: Task, reference: str, settings: Settings, *, current: bool = True, progress: Progress
) -> tuple[Version, GateDecision]:
    """Return a registered version, gated anew on the rows held out now, and the decision, recorded on it.

    ``current`` says that these are the task's own rows, which a promotion asks for.
    """
    version, folder = open_version(settings.store, task.model, reference, settings.cache)
    dataset = read_rows(task, settings, progress=progress)
    report = evaluate_folder(folder, dataset, task=task, version=version.number, progress=progress)
    gate = decide_gate(task.gate, report, judge_production(task, dataset, settings, progress=progress))
    registry = open_registry(settings)
    return registry.record_gate(task.model, version.number, gate, current=current), gate


def judge_production(
    task: Task, dataset: Dataset, settings: Settings, *, progress: Progress
) -> Report | Unjudged | None:
    """Return the report of the production version on the rows held out now, None when there is none.

    One that cannot be scored, because its artifact is damaged or gone or because it does not know the
    labels of the rows, is returned as that: the gate then says so instead of passing by default.
    """
    production = open_registry(settings).production(task.model)
    if production is None:
        return None
    progress.say(f"  meet {task.model} version {production.number}, now in production, on the same rows")
    try:
        _, folder = open_version(settings.store, task.model, production.number, settings.cache)
        return evaluate_folder(folder, dataset, version=production.number, thorough=False, progress=progress)
    except (ArtifactError, DataError, VersionNotFound) as error:
        return Unjudged(version=production.number, reason=error.message)


def evaluate_folder(
    folder: Path,
    dataset: Dataset,
    *,
    task: Task | None = None,
    version: str = "",
    training: dict[str, Any] | None = None,
    thorough: bool = True,
    progress: Progress,
) -> Report:
    """Return the report of an artifact folder, loaded and verified, on the rows that a dataset holds out.

    Behaviour tests and must-pass cases are those of ``task``, as its file says today, else those that were
    saved with the artifact. ``thorough`` adds what comparing two versions does not need.
    """
    cascade, held_out = load_artifact(folder).at_version(version), read_held_out(folder)
    asked = task or cascade.task
    with progress.step("look for held-out rows that repeat training rows"):
        near = dataset.near
    report = evaluate(
        cascade,
        dataset.test,
        dataset=facts(dataset),
        training=training,
        thresholds=read_tables(folder),
        near=near,
        seen=held_out.seen(dataset.test.texts) if held_out else None,
        behaviour=asked.behaviour if thorough else None,
        must_pass=asked.must_pass if thorough else (),
        folder=folder if thorough else None,
        progress=progress,
    )
    return report.model_copy(update={"quantization": read_quantization(folder)})


def facts(dataset: Dataset) -> dict[str, Any]:
    """Return what a report says of its data."""
    return {
        "name": dataset.name,
        "source": dataset.source,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "fingerprint": dataset.fingerprint,
        "counts": dataset.counts(),
        "audit": dataset.audit.to_dict(),
    }
