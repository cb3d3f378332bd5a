"""A team's present scikit-learn model to a registered version."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.config import Task, ThresholdConfig, find_task, parse_task
from assay.estimators import (
    Cascade,
    attach_report,
    choose_operating_point,
    import_pipeline,
    load_artifact,
    profile_of,
    save_artifact,
)
from assay.evaluation import write_report
from assay.exceptions import ConfigError
from assay.gate import GateDecision, decide_gate
from assay.judging import evaluate_folder, judge_production, read_rows
from assay.loading import has_file, open_registry
from assay.pipeline import fate_of, golden_texts, parameters, provenance_of
from assay.progress import Progress
from assay.registry import Version, who_of
from assay.settings import Settings
from assay.taskfiles import with_columns

ESTIMATOR = "imported scikit-learn pipeline"
NOT_GIVEN = "not given at import: add --data FILE"
AS_IT_WAS = {"rules": "", "calibration": "none", "threshold": ThresholdConfig()}
"""An imported model answers as it did before: no rules, its own probabilities, even odds."""
UNGATED = "imported without labelled rows: the model that was in use before"


def import_model(
    file: Path,
    name: str,
    settings: Settings,
    *,
    trust: bool,
    names: Mapping[str, str],
    positive: str | None,
    columns: dict[str, Any],
    promote: bool,
    progress: Progress,
) -> tuple[Version, list[str]]:
    """Return the version made of a joblib file, and lines that say what became of it.

    The converted model gives the pipeline's own probabilities, or nothing is registered. With labelled rows
    (``columns``) it is evaluated and gated like any candidate; without, it can be promoted by override only.
    Raises ConfigError unless ``trust`` is given: loading a joblib file runs code from it.
    """
    if not trust:
        raise ConfigError(f"Loading {str(file)!r} runs code from it. If you trust it, say so: add --trust.")
    task = known_task(name, settings)
    with progress.step(f"convert {file}"):
        model, probes = import_pipeline(file, task.labels if task else None, names)
    task = task or new_task(name, model.labels, positive, columns)
    task = with_columns(task, columns).model_copy(update=AS_IT_WAS)
    point, _ = choose_operating_point(task.threshold, task.labels, task.positive, None)
    cascade = Cascade(task=task, model=model, operating_point=point)
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix="candidate-") as work:
        return register(
            cascade,
            probes,
            Path(work),
            settings,
            rows="source" in columns,
            promote=promote,
            progress=progress,
        )


def known_task(name: str, settings: Settings) -> Task | None:
    """Return the task of a name's file, None when there is no such file."""
    return find_task(name, settings.tasks) if has_file(name, settings) else None


def new_task(name: str, labels: tuple[str, ...], positive: str | None, columns: Mapping[str, Any]) -> Task:
    """Return a task for an imported model that has no task file."""
    data: dict[str, Any] = {"source": NOT_GIVEN, **columns}
    values = {"name": name, "labels": labels, "positive": positive or labels[-1], "data": data}
    return parse_task(values, source=f"the task {name!r}")


def register(
    cascade: Cascade,
    probes: list[str],
    work: Path,
    settings: Settings,
    *,
    rows: bool,
    promote: bool,
    progress: Progress,
) -> tuple[Version, list[str]]:
    """Save, evaluate where there are rows, log and register an imported cascade."""
    task, registry = cascade.task, open_registry(settings)
    dataset = read_rows(task, settings, progress=progress) if rows else None
    params = {**(parameters(cascade, dataset) if dataset else {}), "estimator": ESTIMATOR}
    golden = golden_texts(dataset) if dataset else probes
    provenance = {**provenance_of(dataset), "estimator": ESTIMATOR}
    manifest = save_artifact(cascade, work / "model", golden=golden, provenance=provenance)
    gate: GateDecision | None = None
    metrics: dict[str, float] = {}
    lines = ["No labelled rows were given, so nothing was measured."]
    (work / "report").mkdir()
    if dataset:
        report = evaluate_folder(work / "model", dataset, progress=progress)
        gate = decide_gate(task.gate, report, judge_production(task, dataset, settings, progress=progress))
        profile = profile_of(load_artifact(work / "model"), dataset.test.texts)
        manifest, metrics = attach_report(work / "model", report.to_json(), profile), report.flat()
        write_report(report, work / "report", gate=gate.lines())
        lines = [*report.lines(), *gate.lines()]
    run_id = registry.log_run(
        task,
        artifact=work / "model",
        report=work / "report",
        metrics=metrics,
        params=params,
        tags={"git_commit": manifest.git_commit or "", **manifest.libraries},
    )
    version = registry.register(task, run_id, manifest=manifest, gate=gate)
    if promote and (gate is None or gate.passed):
        how: dict[str, Any] = {"expected": gate.champion_version or ""} if gate else {"override": UNGATED}
        version = registry.promote(task.model, version.number, who=who_of(settings), **how)
    return version, [*lines, fate_of(version, promoted=version.stage == "Production")]
