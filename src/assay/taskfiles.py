"""Which task a command means: its file, the one saved with a version, or one made from a file of rows."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.config import DataConfig, Task, find_task, model_name, parse_task, read_task
from assay.datasets import Dataset, load_dataset
from assay.exceptions import ConfigError, VersionNotFound
from assay.loading import has_file, has_registry
from assay.progress import Progress
from assay.settings import Settings


def task_of(reference: str, settings: Settings, *, columns: dict[str, Any]) -> Task:
    """Return the task of a name or a path, ``columns`` (source, text, label) replacing what its file says.

    A task without a file is the one saved with its newest version. Raises ConfigError when there is neither.
    """
    task = None if has_file(reference, settings) else saved_task(reference, settings)
    return with_columns(task or find_task(reference, settings.tasks), columns)


def refuse_without_rules(task: Task) -> None:
    """Raise ConfigError, saying how to begin, when a task names no rules."""
    if not task.rules:
        raise ConfigError(
            f"The task {task.name!r} names no rules. Write some into {task.name}.rules.toml beside its file "
            f'and the line rules = "{task.name}.rules.toml" into it.',
            task=task.name,
        )


def with_columns(task: Task, columns: dict[str, Any]) -> Task:
    """Return the task reading from another source or other columns."""
    data = DataConfig.model_validate(task.data.model_dump() | columns)
    return task.model_copy(update={"data": data})


def saved_task(name: str, settings: Settings) -> Task | None:
    """Return the task saved with the newest registered version of a name, None when there is none."""
    from assay.registry import open_version

    if not has_registry(settings):
        return None
    try:
        _, folder = open_version(settings.store, model_name(name), "latest", settings.cache)
    except VersionNotFound:
        return None
    task = read_task(folder / "task.toml")
    # Rules are those of the version, whatever path its file may name.
    return task.model_copy(update={"rules": str(folder / "rules.toml")}) if task.rules else task


def task_to_train(
    reference: str,
    settings: Settings,
    *,
    columns: dict[str, Any],
    positive: str | None,
    min_f1: float | None,
    progress: Progress,
) -> Task:
    """Return the task to train: the one of a file, else one made by looking at the rows of ``columns``."""
    if has_file(reference, settings) or "source" not in columns:
        task = with_columns(find_task(reference, settings.tasks), columns)
    else:
        task = task_for_rows(reference, DataConfig(**columns), settings, progress=progress)
    changes = {"positive": positive} if positive else {}
    values = task.model_dump(exclude_none=True) | changes
    if min_f1 is not None:
        values["gate"] = values["gate"] | {"min_f1": min_f1}
    return parse_task(values, source=f"the task {task.name!r}")


def rows_to_check(
    columns: dict[str, Any], reference: str | None, settings: Settings, *, progress: Progress
) -> Dataset:
    """Return the rows of ``columns``, or of the task referred to, as training that task would see them.

    A task's file says which labels may occur and how the source writes them; without a file, or without a
    task, the labels are those of the rows. Raises ConfigError, DataError.
    """
    if reference and ("source" not in columns or has_file(reference, settings)):
        task = task_of(reference, settings, columns=columns)
        data, name, labels = task.data, task.name, task.labels
    elif "source" in columns:
        data, name, labels = DataConfig.model_validate(columns), reference or "check", None
    else:
        raise ConfigError("Name the rows to check (a file, a folder, a named set), or a task: --task NAME")
    return load_dataset(data, name=name, labels=labels, home=settings.home, progress=progress)


def task_for_rows(name: str, data: DataConfig, settings: Settings, *, progress: Progress) -> Task:
    """Return a task made from labelled rows: its labels are theirs, the rarest one is the positive label.

    A positive label of versions before stays. Raises DataError when the rows cannot be used, or have one
    label only.
    """
    data, dataset = rows_as_they_are(name, data, settings, progress=Progress(quiet=True))
    counts = Counter(dataset.training.labels + dataset.test.labels)
    positive, why = positive_among(counts, name, settings)
    progress.say(f"  no task file: the labels are {sorted(counts)}; looked for is {positive!r} ({why})")
    values = {
        "name": name,
        "labels": sorted(counts),
        "positive": positive,
        "data": data.model_dump(exclude_none=True),
    }
    return parse_task(values, source=f"the task {name!r}")


def rows_as_they_are(
    name: str, data: DataConfig, settings: Settings, *, progress: Progress
) -> tuple[DataConfig, Dataset]:
    """Return the rows of a source with the labels that they have, and their description, its path absolute.

    Raises DataError when the rows cannot be used, or have one label only.
    """
    if Path(data.source).exists():
        data = data.model_copy(update={"source": str(Path(data.source).absolute())})
    return data, load_dataset(data, name=name, labels=None, home=settings.home, progress=progress)


def positive_among(counts: Mapping[str, int], name: str, settings: Settings) -> tuple[str, str]:
    """Return the label to look for and why, given each one's rows: that of versions before, else the rarest.

    Of equally rare ones it is the first.
    """
    before = saved_task(name, settings)
    if before and before.positive in counts:
        return before.positive, "as before"
    positive = min(sorted(counts), key=counts.__getitem__)
    alone = list(counts.values()).count(counts[positive]) == 1
    return positive, f"{'the rarest' if alone else 'the first of the rarest'}; else say --positive"
