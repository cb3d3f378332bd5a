"""CSV and TSV."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO, cast

from assay.datasets.table import MAX_ROW, Fault, Format, Layout, Row, Table
from assay.exceptions import DataError

WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or another zip file. Save it as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook. Save it as CSV UTF-8",
    b"\x1f\x8b": "compressed with gzip. Let its name end in .gz",
    b"PAR1": "a Parquet file. Let its name end in .parquet",
    b"%PDF": "a PDF. Save the table as CSV UTF-8",
}
"""How files begin that are no text, whatever their name says, and what to do with them."""
MARKS = (",", ";", "\t", "|")
"""Separators that a header is searched for."""
SAID = re.compile(r"sep=(.)(?:\r\n|\r|\n)", re.IGNORECASE)
QUOTED = re.compile(r'"[^"]*("|$)')


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


def _delimiter(format: Format, lines: _Lines, layout: Layout) -> str:
    """Return the separator: the format's own, or that which the header has most often outside quotes.

    Excel reads and writes a first line like ``sep=;``, which is no row and says it.
    """
    header = lines.peek()
    said = SAID.fullmatch(header)
    if said and format == "csv":
        next(lines)
        lines.next_row()
        return said[1]
    if layout.delimiter:
        return layout.delimiter
    if format == "tsv":
        return "\t"
    bare = QUOTED.sub("", header)
    return max(MARKS, key=bare.count)


def open_table(stream: BinaryIO, name: str, format: Format, layout: Layout, stack: ExitStack) -> Table:
    """Return the table of a CSV or TSV stream (RFC 4180 with the liberties that spreadsheets take)."""
    text, marked = _decoded(stream, name, stack)
    lines = _Lines(text, name)
    if not lines.peek():
        raise DataError(f"{name} is empty.", source=name)
    delimiter = _delimiter(format, lines, layout)
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
    first = stream.peek(4)
    _refuse_foreign(first, name)
    # Wide text has no bytes that could be kept: what is no character is replaced, and what is written
    # back is UTF-8, with a mark.
    wide = first.startswith(WIDE_MARKS)
    encoding, errors = ("utf-16", "replace") if wide else ("utf-8-sig", "surrogateescape")
    text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
    stack.callback(text.detach)
    return text, wide or first.startswith(codecs.BOM_UTF8)


def _refuse_foreign(first: bytes, name: str) -> None:
    for mark, what in FOREIGN.items():
        if first.startswith(mark):
            raise DataError(f"{name} is not text but {what}.", source=name)


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
            yield Row(lines.row, columns, cells, _fault(cells, lines, columns), lines.size)
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
