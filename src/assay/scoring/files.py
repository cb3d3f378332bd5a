"""Rows of a table to the same rows with their decisions."""

import io
import re
import sys
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from assay.datasets import Format, Row, Table, find_column, read_table
from assay.estimators import Cascade, Decision, fault_of
from assay.exceptions import ArtifactError
from assay.scoring.writing import Answer, writer_for

BATCH_ROWS = 512
BATCH_SIZE = 1024**2
"""Rows that are decided together, and what they may take in their file (a row more, where one is longer);
bounds memory, changes no answer."""

ANSWERING = 2
"""Threads that answer batches: one asks the rules, which needs the interpreter, while the other's n-grams are
looked up without it."""

ESCAPED = re.compile("[\udc80-\udcff]")
"""Bytes that were no UTF-8, as the reader keeps them."""


class Scored(NamedTuple):
    """A part of a file that was scored: its bytes, and what was answered to the rows in it.

    ``texts`` are those of the rows that have a decision, in their order.
    """

    content: bytes
    answers: Sequence[Answer]
    texts: Sequence[str] = ()


class _Answered(NamedTuple):
    """Rows, the answer to each, and the texts of those that have a decision."""

    rows: list[Row]
    answers: list[Answer]
    texts: list[str]


@dataclass
class Tally:
    """What became of the rows of one file."""

    rows: int = 0
    errors: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def count(self, answers: Iterable[Answer]) -> None:
        """Count rows by what was answered to them."""
        for answer in answers:
            self.rows += 1
            if isinstance(answer, Decision):
                self.labels[answer.label] += 1
            else:
                self.errors += 1


class _Drained(io.RawIOBase):
    """Keeps what is written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written so far; Parquet's footer says where each column is."""
        return self._size

    def write(self, data: Any) -> int:
        """Keep bytes."""
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def open_input(name: str, format: Format | None) -> Table:
    """Return the table of a path, or of standard input for ``-`` (CSV unless ``format`` says otherwise)."""
    if name == "-":
        return read_table(sys.stdin.buffer, format or "csv", name="standard input")
    return read_table(Path(name), format)


def score_table(
    cascade: Cascade,
    table: Table,
    column: str | None,
    stream: BinaryIO,
    *,
    explain: bool = False,
    spreadsheet: bool = False,
) -> Tally:
    """Write every row of a table with its decision, in the table's format, and return the tally.

    ``explain`` adds a column of JSON that says what moved each decision. ``spreadsheet`` makes CSV and TSV
    safe to open in a spreadsheet: a cell that would be a formula gets an apostrophe before it, and the file
    begins with a byte order mark.

    The column of texts is found by its usual names when it is not given. A row that cannot be scored is
    written with its error and no decision; the rest go on. Memory does not grow with the rows.
    """
    tally, answer = Tally(), _answering(cascade, table, column, explain=explain)
    with writer_for(table, stream, explain=explain, spreadsheet=spreadsheet) as writer:

        def write(part: _Answered) -> None:
            tally.count(part.answers)
            writer.write(part.rows, part.answers)

        _ahead(_batches(table, BATCH_ROWS, BATCH_SIZE), answer, write)
    return tally


def score_parts(
    cascade: Cascade,
    table: Table,
    column: str | None = None,
    *,
    explain: bool = False,
    spreadsheet: bool = False,
    rows: int = BATCH_ROWS,
    size: int = BATCH_SIZE,
) -> Generator[Scored]:
    """Yield what ``score_table`` writes, part by part; nothing is read before it is asked for.

    A part has ``rows`` rows, or fewer when they take ``size`` characters or bytes in their file.
    Put together, the parts are the file. Whoever stops asking has no whole file: Parquet's last part is its
    footer.
    """
    answer, sink = _answering(cascade, table, column, explain=explain), _Drained()
    stream = cast(BinaryIO, sink)
    with writer_for(table, stream, explain=explain, spreadsheet=spreadsheet) as writer:
        for batch in _batches(table, rows, size):
            _, answers, texts = answer(batch)
            writer.write(batch, answers)
            yield Scored(sink.take(), answers, texts)
    yield Scored(sink.take(), ())


def score_rows(
    cascade: Cascade, rows: Iterable[Row], column: str, *, explain: bool = False
) -> Iterator[tuple[Row, Answer]]:
    """Yield each row with its decision, or with the sentence that says why it has none."""
    for batch in _batches(rows, BATCH_ROWS, BATCH_SIZE):
        yield from zip(batch, _answers(cascade, column, explain, batch).answers, strict=True)


def _ahead(
    batches: Iterable[list[Row]], answer: Callable[[list[Row]], _Answered], use: Callable[[_Answered], None]
) -> None:
    """Have threads answer batches while those before them are used and the next is read.

    One batch more is held than there are threads. Where reading fails, what was read before is used first;
    where an answer or its use fails, nothing after it is used.
    """
    begun: deque[Future[_Answered]] = deque()
    using = False
    with ThreadPoolExecutor(ANSWERING, "answers") as threads:
        try:
            for batch in batches:
                begun.append(threads.submit(answer, batch))
                if len(begun) > ANSWERING:
                    using = True
                    use(begun.popleft().result())
                    using = False
        finally:
            while begun and not using:
                use(begun.popleft().result())


def _batches(rows: Iterable[Row], most: int, largest: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += row.size
        if len(batch) >= most or size >= largest:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _answering(
    cascade: Cascade, table: Table, column: str | None, *, explain: bool
) -> Callable[[list[Row]], _Answered]:
    """Return what answers rows of a table; raises ColumnError where its column of texts is not found."""
    return partial(_answers, cascade, find_column(table, column, "text"), explain)


def _answers(cascade: Cascade, column: str, explain: bool, batch: list[Row]) -> _Answered:
    faults = [_fault(row, column) for row in batch]
    texts = [row.get(column) for row, fault in zip(batch, faults, strict=True) if fault is None]
    decisions = iter(cascade.decide(texts, explain=explain))
    answers: list[Answer] = [next(decisions) if fault is None else fault for fault in faults]
    if next(decisions, None) is not None:
        raise ArtifactError("The model gave more decisions than it was given texts.")
    return _Answered(batch, answers, texts)


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
    return isinstance(text, str) and not text.isascii() and ESCAPED.search(text) is not None
