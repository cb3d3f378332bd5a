"""Rows of a table to the same rows with their decisions."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from assay.datasets import Format, Row, Table, find_column, read_table
from assay.estimators import Cascade, Decision, fault_of
from assay.exceptions import ArtifactError
from assay.scoring.writing import Answer, writer_for

BATCH_ROWS = 512
"""Rows that are decided together; bounds memory, changes no answer."""


@dataclass
class Tally:
    """What became of the rows of one file."""

    rows: int = 0
    errors: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def count(self, answer: Answer) -> None:
        """Count one row."""
        self.rows += 1
        if isinstance(answer, Decision):
            self.labels[answer.label] += 1
        else:
            self.errors += 1


def open_input(name: str, format: Format | None) -> Table:
    """Return the table of a path, or of standard input for ``-`` (CSV unless ``format`` says otherwise)."""
    if name == "-":
        return read_table(sys.stdin.buffer, format or "csv", name="standard input")
    return read_table(Path(name), format)


def score_table(
    cascade: Cascade, table: Table, column: str | None, stream: BinaryIO, *, explain: bool = False
) -> Tally:
    """Write every row of a table with its decision, in the table's format, and return the tally.

    ``explain`` adds a column of JSON that says what moved each decision.

    The column of texts is found by its usual names when it is not given. A row that cannot be scored is
    written with its error and no decision; the rest go on. Memory does not grow with the rows.
    """
    column, tally = find_column(table, column, "text"), Tally()
    with writer_for(table, stream, explain=explain) as writer:
        for row, answer in score_rows(cascade, table, column, explain=explain):
            tally.count(answer)
            writer.write(row, answer)
    return tally


def score_rows(
    cascade: Cascade, rows: Iterable[Row], column: str, *, explain: bool = False
) -> Iterator[tuple[Row, Answer]]:
    """Yield each row with its decision, or with the sentence that says why it has none."""
    pending = iter(rows)
    while batch := list(islice(pending, BATCH_ROWS)):
        faults = [_fault(row, column) for row in batch]
        texts = [row.get(column) for row, fault in zip(batch, faults, strict=True) if fault is None]
        decisions = iter(cascade.decide(texts, explain=explain))
        for row, fault in zip(batch, faults, strict=True):
            yield row, next(decisions) if fault is None else fault
        if next(decisions, None) is not None:
            raise ArtifactError("The model gave more decisions than it was given texts.")


def _fault(row: Row, column: str) -> str | None:
    if row.fault:
        return f"The row {row.fault.message}."
    text = row.get(column)
    if text is None:
        return f"The row has no text in {column!r}."
    fault = "has bytes that are not UTF-8" if _was_not_utf8(text) else fault_of(text)
    return f"The text in {column!r} {fault}." if fault else None


def _was_not_utf8(text: object) -> bool:
    """Return True for a text with bytes that the reader could not decode and kept as surrogate escapes."""
    return isinstance(text, str) and any("\udc80" <= character <= "\udcff" for character in text)
