"""CSV and TSV."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO, cast

from assay.datasets.table import MAX_ROW, Fault, Format, Layout, Row, Table
from assay.exceptions import DataError

WIDE_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")


class _Lines:
    """Physical lines of a text, with the place and size of the row that is being read."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._text, self._name = text, name
        self._held: list[str] = []
        self.line = self.row = 0
        self.began = 1
        self.size = 0
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._held.pop() if self._held else self._text.readline(MAX_ROW + 1)
        if not line:
            self.ended = True
            raise StopIteration
        self.line += 1
        self.size += len(line)
        if self.size > MAX_ROW:
            raise DataError(
                f"Row {self.row + 1} of {self._name}, which begins on line {self.began}, is longer than "
                f"{MAX_ROW:,} characters. Most often a quote opens there and is never closed.",
                row=self.row + 1,
                line=self.began,
            )
        return line

    def peek(self) -> str:
        """Return the next line without taking it."""
        if not self._held:
            self._held.append(self._text.readline(MAX_ROW + 1))
        return self._held[0]

    def next_row(self) -> None:
        """Count a row as read."""
        self.began, self.size = self.line + 1, 0


def _delimiter(format: Format, header: str, layout: Layout) -> str:
    """Return the separator: the format's own, or one that the header has when it has no comma."""
    if layout.delimiter:
        return layout.delimiter
    if format == "tsv":
        return "\t"
    return next((mark for mark in (",", ";", "\t", "|") if mark in header), ",")


def open_table(stream: BinaryIO, name: str, format: Format, layout: Layout, stack: ExitStack) -> Table:
    """Return the table of a CSV or TSV stream (RFC 4180 with the liberties that spreadsheets take)."""
    text, marked = _decoded(stream, name, stack)
    lines = _Lines(text, name)
    if not lines.peek():
        raise DataError(f"{name} is empty.", source=name)
    delimiter = _delimiter(format, lines.peek(), layout)
    # The limit of the csv module is one for the process; MAX_ROW is ours and is checked by line.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW))
    records = csv.reader(
        lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE
    )
    columns = layout.columns or _header(records, lines, name)
    rows = _rows(records, lines, columns)
    return Table(name, format, columns, rows, delimiter=delimiter, marked=marked)


def _decoded(stream: BinaryIO, name: str, stack: ExitStack) -> tuple[io.TextIOWrapper, bool]:
    """Return the stream as text, and whether it begins with a byte order mark, which is no part of it."""
    # Detached, not closed: the stream belongs to whoever opened it.
    if not isinstance(stream, io.BufferedReader):
        stream = io.BufferedReader(cast(io.RawIOBase, stream))
        stack.callback(stream.detach)
    _refuse_wide(stream.peek(2)[:2], name)
    marked = stream.peek(3).startswith(codecs.BOM_UTF8)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    stack.callback(text.detach)
    return text, marked


def _refuse_wide(mark: bytes, name: str) -> None:
    if mark in WIDE_ENCODINGS:
        raise DataError(
            f"{name} is UTF-16, and UTF-8 is needed. Save it as CSV UTF-8, or: iconv -f utf-16 -t utf-8",
            source=name,
        )


def _header(records: Iterator[list[str]], lines: _Lines, name: str) -> tuple[str, ...]:
    columns = next((cells for cells in records if cells), None)
    if columns is None or lines.ended:
        raise DataError(f"{name} has no header row that can be read.", source=name)
    lines.next_row()
    return tuple(columns)


def _rows(records: Iterator[list[str]], lines: _Lines, columns: tuple[str, ...]) -> Iterator[Row]:
    for cells in records:
        if cells:
            lines.row += 1
            yield Row(lines.row, columns, cells, _fault(cells, lines, columns))
        lines.next_row()


def _fault(cells: list[str], lines: _Lines, columns: tuple[str, ...]) -> Fault | None:
    # The csv module asks for a line more only inside quotes, so a row that met the end is unclosed.
    if lines.ended:
        return Fault(
            "unclosed_quote",
            f"a quote opens in this row, on or after line {lines.began}, and is never closed: "
            "all that follows was read as one cell",
        )
    if len(cells) != len(columns):
        return Fault("ragged", f"has {len(cells)} cells where the header has {len(columns)}")
    return None
