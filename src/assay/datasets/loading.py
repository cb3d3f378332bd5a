"""From a source to a dataset: every row read once, checked, given a side, and accounted for."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from assay.config import DataConfig
from assay.datasets.reading import Example, Reader
from assay.datasets.repeats import settle_repeats
from assay.datasets.rows import Dataset, Rows
from assay.datasets.sources import find_source
from assay.datasets.splitting import SIDES, Side, side_of_digest
from assay.datasets.validation import Audit, Ledger
from assay.exceptions import DataError
from assay.progress import Progress

MIN_CLASS_ROWS = 20
"""A class with fewer rows than this on a side is reported."""
MAX_LABELS = 100
"""More labels than this, where the task does not list them, are taken for the wrong column."""
LABELS_NAMED = 10
"""How many labels a message lists."""


def load_dataset(
    data: DataConfig, *, name: str, labels: Sequence[str] | None, home: Path, progress: Progress
) -> Dataset:
    """Return the rows of a task, split and checked; ``dataset.audit`` accounts for all that was read.

    ``name`` is the task's: the salt of the split unless ``data.salt`` is set. ``labels`` are those
    that may occur; None takes what the source has. ``home`` is where named sets are kept.

    Empty, over-long and unreadable texts and rows without a label are dropped and counted; so are,
    unless ``data.duplicates`` is ``keep``, repeated rows and every row of a text that stands under
    two labels. A test side that the source defines is left as published, and rows that repeat a
    text of it are always taken from the training side.

    The rows have the columns ``data.slices`` and, where every file has one, ``source``.

    Raises ColumnError for a column that is missing or ambiguous, or sliced by though it holds the text or
    the label; DataError for an unreadable file,
    a label that is unknown, fewer than two labels, a label without training rows, or a test side
    without rows (with the ``audit`` in its data); DownloadError and MissingExtra as ``fetch`` does.
    """
    source = find_source(data, home, progress)
    ledger = Ledger()
    reader = Reader(
        source, ledger, rename=data.rename, allowed=labels, salt=data.salt or name, slices=data.slices
    )
    with progress.step(f"reading {data.source}"):
        examples = reader.read()
        if reader.unknown and labels is not None:
            raise _unknown_labels(reader.unknown, labels, ledger.audit(reader.rows_read))
        if labels is None:
            _refuse_many_labels(examples, data.source)
        examples = settle_repeats(examples, ledger, drop=data.duplicates == "drop")
        sides = _split(examples, data, reader.columns, kept=source.split)
    _note_small_classes(sides, ledger, labels)
    audit = ledger.audit(reader.rows_read)
    _refuse_unusable(sides, labels, audit)
    return Dataset(
        name=data.source,
        source=source.description,
        train=sides["train"],
        validation=sides["validation"],
        test=sides["test"],
        audit=audit,
        licence=source.licence,
        citation=source.citation,
    )


def _split(
    examples: Sequence[Example], data: DataConfig, columns: Sequence[str], *, kept: bool
) -> dict[Side, Rows]:
    """Return the rows by side; of a split that the source defines, only training rows are divided."""
    divided = {None, "train"}
    if any(example.side == "validation" for example in examples):
        divided = {None}
    sides: dict[Side, Rows] = {side: Rows([], [], {name: [] for name in columns}) for side in SIDES}
    for example in examples:
        side = example.side
        if side is None or side in divided:
            side = side_of_digest(example.digest, 0.0 if kept else data.test, data.validation)
        sides[side].texts.append(example.text)
        sides[side].labels.append(example.label)
        for name, value in zip(columns, example.values, strict=False):
            sides[side].columns[name].append(value)
    return sides


def _refuse_many_labels(examples: Sequence[Example], source: str) -> None:
    found = sorted({example.label for example in examples})
    if len(found) > MAX_LABELS:
        raise DataError(
            f"{source} has {len(found):,} different labels, such as {found[0]!r:.60}; at most {MAX_LABELS} "
            "are expected where no task file lists them. Name the column of labels: --label COLUMN.",
            labels=found,
        )


def _counts(sides: Mapping[Side, Rows], labels: Collection[str] | None) -> dict[Side, dict[str, int]]:
    found = {side: Counter(rows.labels) for side, rows in sides.items()}
    expected = labels or sorted(set().union(*found.values()))
    return {side: {label: found[side][label] for label in expected} for side in SIDES}


def _note_small_classes(sides: Mapping[Side, Rows], ledger: Ledger, labels: Collection[str] | None) -> None:
    for side, counts in _counts(sides, labels).items():
        for label, count in counts.items():
            if count < MIN_CLASS_ROWS:
                ledger.note_class(label, side, count, MIN_CLASS_ROWS)


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - LABELS_NAMED:,} more" if len(labels) > LABELS_NAMED else ""
    return ", ".join(map(repr, labels[:LABELS_NAMED])) + more


def _unknown_labels(unknown: Counter[str], allowed: Sequence[str], audit: Audit) -> DataError:
    findings = [finding for finding in audit.findings if finding.kind == "unknown_label"]
    ranked = [label for label, _ in unknown.most_common()]
    return DataError(
        f"The data has labels that the task does not list: {_listed(ranked)}. Allowed: {_listed(allowed)}.\n"
        + "\n".join(f"  {finding.message}" for finding in findings)
        + "\nCorrect the rows, or map the labels under [data.rename].",
        rows=[row for finding in findings for row in finding.rows],
        labels=ranked,
        allowed=list(allowed),
        audit=audit,
    )


def _refuse_unusable(sides: Mapping[Side, Rows], labels: Collection[str] | None, audit: Audit) -> None:
    """Raise DataError when nothing can be learned or measured from the rows that are left."""
    counts = _counts(sides, labels)
    absent = [label for label, count in counts["train"].items() if count == 0]
    if len(counts["train"]) < 2:
        fault = f"Two labels are needed, and the rows have {_listed(list(counts['train'])) or 'none'}"
    elif not any(map(len, sides.values())):
        fault = "No row is left, so nothing could be learned or measured; give other rows"
    elif absent:
        fault = f"No row is left to train on for {_listed(absent)}"
    elif not len(sides["test"]):
        fault = "No row is left on the test side, so nothing could be measured; add rows"
    else:
        return
    raise DataError("\n".join([f"{fault}.", *audit.lines()]), audit=audit)
