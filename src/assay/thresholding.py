"""``assay thresholds``: what a version's threshold was chosen from, what another would do, and the plots."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from assay.estimators import load_artifact, read_held_out, read_tables
from assay.evaluation import Report, compare_thresholds, table_lines, threshold_plot
from assay.exceptions import ConfigError, DataError
from assay.families import TfidfConfig
from assay.loading import folder_of
from assay.scoring import replacing
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.config import Task
    from assay.estimators import Cascade, ThresholdRow, ThresholdTable

COLUMNS = (
    *("label", "threshold", "chosen", "caught", "false_alarms", "missed", "left_alone"),
    *("precision", "recall", "f1", "accuracy", "alerts_a_day"),
)


def show_thresholds(
    reference: str,
    version: str,
    settings: Settings,
    *,
    compare: Sequence[float] | None = None,
    minutes: float | None = None,
    output: Path | None = None,
) -> Iterator[str]:
    """Yield what a version's threshold was chosen from, or what two thresholds would do, for people.

    ``reference`` is a task's name or path, or an artifact folder. The rows are those that were trained on,
    each scored by a model that did not see it. Plots and whole tables are written into ``output``, else into
    the home folder; with ``compare`` only where ``output`` asks for them. Raises DataError for a version
    without such scores.
    """
    folder, number = folder_of(reference, version=version, settings=settings)
    cascade = load_artifact(folder).at_version(number)
    name = f"{cascade.task.model} version {number}" if number else str(folder)
    tables = read_tables(folder) or refuse_without_scores(name)
    yield f"{name}, {rows_of(cascade.task)}"
    if compare:
        yield from compared(cascade, folder, compare, minutes)
    else:
        for table in tables:
            yield from table_lines(table)
        yield from confirmed(folder)
    if output or not compare:
        place = (
            output or settings.home / "thresholds" / f"{cascade.task.model}-{number or cascade.digest[:12]}"
        )
        write_tables(tables, place)
        yield f"Plots and whole tables are in {place}."


def rows_of(task: "Task") -> str:
    """Return which rows the thresholds of a task's model are chosen on."""
    if isinstance(task.estimator, TfidfConfig):
        return "on the rows that it was trained on, scored by models that had not seen them"
    return "on its validation rows, which it was not trained on"


def compared(cascade: "Cascade", folder: Path, compare: Sequence[float], minutes: float | None) -> list[str]:
    """Return two thresholds side by side and what moving from one to the other changes.

    Raises ConfigError for a threshold or minutes that cannot be, DataError without out-of-fold scores.
    """
    given = {} if minutes is None else {"minutes": minutes}
    if minutes is not None and not 0 < minutes < float("inf"):
        raise ConfigError(f"An alert takes an analyst more than 0 minutes; got {minutes!r}.", minutes=minutes)
    held_out = read_held_out(folder) or refuse_without_scores(str(folder))
    task, point, (low, high) = cascade.task, cascade.operating_point, compare
    sample, day = held_out.sample(point.calibration, cascade.model.link), task.threshold.daily
    found = compare_thresholds(
        sample, task.labels, task.positive, low, high, texts_a_day=day, point=point, **given
    )
    return found.lines()


def confirmed(folder: Path) -> Iterator[str]:
    """Yield whether the goal holds on the rows kept apart, as the version's report has it."""
    path = folder / "report.json"
    point = Report.from_json(path.read_bytes()).operating_point if path.is_file() else None
    if point:
        yield from point.lines()


def refuse_without_scores(name: str) -> NoReturn:
    """Raise DataError for a version that has nothing to choose a threshold from."""
    raise DataError(
        f"{name} has no scores of rows that its model had not seen: it was imported, or trained from too few "
        "rows or with nothing to choose (the goal 'fixed', no calibration). Measure it on rows of yours: "
        "assay evaluate TASK VERSION --data FILE"
    )


def write_tables(tables: "Sequence[ThresholdTable]", folder: Path) -> None:
    """Write a plot of each table and a CSV of all, each file whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, table in enumerate(tables, start=1):
        part = f"-{number}-{plain(table.label)}" if len(tables) > 1 else ""
        with replacing(folder / f"thresholds{part}.png") as stream:
            stream.write(threshold_plot(table))
    with replacing(folder / "thresholds.csv") as stream:
        stream.write(as_csv(tables).encode())


def plain(label: str) -> str:
    """Return a label as part of a file's name."""
    return re.sub(r"[^\w-]+", "-", label)[:40].strip("-")


def as_csv(tables: "Sequence[ThresholdTable]") -> str:
    """Return all thresholds of the tables, the chosen ones among them, as a CSV."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for table in tables:
        chosen = table.chosen
        others = [row for row in table.rows if row.threshold != chosen.threshold]
        for row in sorted([*others, chosen], key=lambda row: row.threshold):
            rows.writerow(cells_of(row, table))
    return text.getvalue()


def cells_of(row: "ThresholdRow", table: "ThresholdTable") -> list[str | int | float | None]:
    """Return a threshold as a row of the CSV; what is undefined is empty."""
    counts = (row.true_positives, row.false_positives, row.false_negatives, row.true_negatives)
    shares = (row.precision, row.recall, row.f1, row.accuracy, table.alerts_a_day(row))
    chosen = "yes" if row.threshold == table.chosen.threshold else "no"
    return [table.label, row.threshold, chosen, *counts, *shares]
