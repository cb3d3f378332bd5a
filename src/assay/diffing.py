"""``assay diff``: what is different between two versions, in what they are and in what they decide."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.config import Task
from assay.estimators import Cascade, load_artifact, read_held_out
from assay.evaluation import METRICS, Report, changes_between, text_table
from assay.exceptions import DataError
from assay.gate import Pair
from assay.judging import evaluate_folder, read_rows
from assay.progress import Progress
from assay.registry import open_version
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.datasets import Dataset
    from assay.estimators import Rules

SAID_ELSEWHERE = ("description", "experiment", "model", "rules")
"""Keys of a task that say nothing of what it decides; rules are compared one by one."""


def diff_versions(
    task: Task, first: str, second: str, settings: Settings, *, progress: Progress
) -> Iterator[str]:
    """Yield the differences between two versions of a task, for people: settings, rules, metrics, decisions.

    Both are scored now on the rows of the task that are held out now. Rows that cannot be read end the
    comparison with a line that says so. Raises VersionNotFound, ArtifactError, RegistryUnavailable.
    """
    opened = [open_version(settings.store, task.model, each, settings.cache) for each in (first, second)]
    folders = [folder for _, folder in opened]
    sides = [load_artifact(folder).at_version(version.number) for version, folder in opened]
    names = [f"version {side.version}" for side in sides]
    yield f"{task.model}: {names[0]} -> {names[1]}"
    if sides[0].digest == sides[1].digest:
        yield "Both decide by the same artifact, to the last bit."
    yield from what_changed(*sides)
    try:
        dataset = read_rows(task, settings, progress=progress)
    except DataError as error:
        yield f"The decisions are not compared, because the rows cannot be read: {error.message}"
        return
    yield from unseen(folders, names, dataset)
    yield from on_rows(sides, folders, dataset, progress)


def what_changed(first: Cascade, second: Cascade) -> Iterator[str]:
    """Yield the settings, the rules and the threshold that differ, a line each."""
    lines = [*settings_lines(first.task, second.task), *rules_lines(first.rules, second.rules)]
    for name, before, after in (
        ("calibration", *(side.operating_point.calibration.method for side in (first, second))),
        ("threshold", *(threshold_of(side) for side in (first, second))),
    ):
        if before != after:
            lines.append(f"{name}: {before} -> {after}")
    yield from (f"  {line}" for line in lines)
    if not lines:
        yield "  Task, rules and threshold are the same."


def threshold_of(side: Cascade) -> str:
    """Return the threshold or thresholds that are served."""
    point = side.operating_point
    return json.dumps(point.thresholds) if point.threshold is None else f"{point.threshold:.6g}"


def settings_lines(first: Task, second: Task) -> Iterator[str]:
    """Yield the keys of two tasks whose values differ."""
    before, after = (
        dict(flat(task.model_dump(mode="json", exclude=set(SAID_ELSEWHERE)))) for task in (first, second)
    )
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield f"{key}: {before.get(key)!r} -> {after.get(key)!r}"


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the leaves of nested tables under their dotted names."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def rules_lines(first: "Rules", second: "Rules") -> Iterator[str]:
    """Yield the rules that came, went or changed."""
    before, after = ({rule.id: rule for rule in rules.all} for rules in (first, second))
    for name in sorted({*before, *after}):
        if name not in after:
            yield f"rule {name}: gone"
        elif name not in before:
            yield f"rule {name}: new, {after[name].action} {after[name].label!r}"
        else:
            old, new = before[name].model_dump(mode="json"), after[name].model_dump(mode="json")
            changed = [key for key in old if old[key] != new[key]]
            if changed:
                yield f"rule {name}: changed {', '.join(changed)}"


def unseen(folders: list[Path], names: list[str], dataset: "Dataset") -> Iterator[str]:
    """Yield a warning for a version that was trained on rows that are held out now."""
    for folder, name in zip(folders, names, strict=True):
        held_out = read_held_out(folder)
        try:
            if held_out:
                held_out.check_unseen(dataset.test.texts, name)
        except DataError as error:
            yield f"Beware: {error.message}"


def on_rows(
    sides: list[Cascade], folders: list[Path], dataset: "Dataset", progress: Progress
) -> Iterator[str]:
    """Yield metrics side by side, the paired comparison, and the decisions that changed most."""
    if set(sides[0].labels) != set(sides[1].labels):
        yield (
            f"They decide between different labels, {sorted(sides[0].labels)} and {sorted(sides[1].labels)}: "
            "their decisions are not compared."
        )
        return
    reports = [
        evaluate_folder(folder, dataset, version=side.version, progress=progress, thorough=False)
        for folder, side in zip(folders, sides, strict=True)
    ]
    yield from metrics_lines(*reports)
    names = [f"version {side.version}" for side in sides]
    yield from Pair.of(reports[1], reports[0]).compare().lines(*names)
    yield from changes_between(sides[0], sides[1], dataset.test).lines()


def metrics_lines(first: Report, second: Report) -> Iterator[str]:
    """Yield the metrics of two reports on the same rows as a table."""
    rows = []
    for metric in METRICS:
        before, after = first.metrics[metric], second.metrics[metric]
        defined = before.value is not None and after.value is not None
        change = f"{after.value - before.value:+.4f}" if defined else ""  # type: ignore[operator]
        rows.append((metric, str(before), str(after), change))
    header = ("", f"version {first.version}", f"version {second.version}", "change")
    yield f"On {first.rows:,} held-out rows:"
    yield from (f"  {line}" for line in text_table(header, rows, "lrrr"))
