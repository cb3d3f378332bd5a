"""Rows back to their file's format, the decision's columns after their own."""

import codecs
import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

from assay.datasets import Row, Table
from assay.estimators import Decision
from assay.exceptions import DataError
from assay.scoring.spreadsheets import safe_cell

PREFIX = "assay_"
FIELDS = (
    "label",
    "confidence",
    "score",
    "threshold",
    "decided_by",
    "rule",
    "review",
    "model",
    "version",
    "id",
)
EXPLANATION = PREFIX + "explanation"
COLUMNS = tuple(PREFIX + name for name in (*FIELDS, "error"))
"""The columns that are added, with EXPLANATION (JSON) where one is asked for."""
OURS = frozenset((*COLUMNS, EXPLANATION))
"""Columns of an earlier scoring: they are replaced."""

Answer = Decision | str
"""A decision, or the sentence that says why a row has none."""

PARQUET_ROWS = 4096
PARQUET_SIZE = 8 * 1024**2
"""Rows, and characters in their cells, that make a group of rows."""

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".gz": "compressed",
    ".bz2": "compressed",
    ".zst": "compressed",
}
"""What the ending of an output's name promises; any other promises nothing."""


class Writer(Protocol):
    """Writes rows to a stream; leaving the block completes the file."""

    def write(self, rows: Sequence[Row], answers: Sequence[Answer]) -> None:
        """Write rows with their answers."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *fault: object) -> None: ...


def writer_for(table: Table, stream: BinaryIO, *, explain: bool = False, spreadsheet: bool = False) -> Writer:
    """Return the writer of a table's format; the stream is the caller's and stays open."""
    added = (*COLUMNS, EXPLANATION) if explain else COLUMNS
    if table.format == "jsonl":
        return JsonLinesWriter(stream, added)
    if table.format == "parquet":
        return ParquetWriter(table, stream, added)
    if table.format in ("csv", "tsv"):
        return DelimitedWriter(table, stream, added, spreadsheet=spreadsheet)
    raise DataError(f"{table.name} is a {table.format}; score a CSV, TSV, JSON Lines or Parquet file.")


def check_output(path: Path, table: Table) -> None:
    """Raise DataError when a path's ending says another format than that of the table and so of its rows."""
    said = ENDINGS.get(path.suffix.lower(), table.format)
    if said != table.format:
        raise DataError(
            f"The rows of {table.name} are written as they came, in {table.format}, and the name "
            f"{path.name!r} says {said}. Name the output {path.stem}.{table.format}.",
            path=path,
        )


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a stream to a draft that takes the path's place when the block ends well, and is deleted else.

    A link is followed. What is no file (a pipe, ``/dev/null``) is written as it is. Raises DataError.
    """
    path = path.resolve()
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
        else:
            with _draft(path) as stream:
                yield stream
    except OSError as error:
        raise DataError(
            f"{str(path)!r} could not be written: {error.strerror or error}.", path=path
        ) from error


@contextmanager
def _draft(path: Path) -> Iterator[BinaryIO]:
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    # Opened inside: Ctrl+C may come as soon as the file is there.
    try:
        with draft.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


_fields_of = attrgetter(*FIELDS)
_NO_FIELDS = (None,) * len(FIELDS)


def values_of(answer: Answer, columns: Sequence[str]) -> tuple[Any, ...]:
    """Return one row's values of the columns that are added; None for those that it does not fill."""
    values = (*_NO_FIELDS, answer) if isinstance(answer, str) else (*_fields_of(answer), None)
    if len(columns) == len(values):
        return values
    told = None if isinstance(answer, str) else answer.explanation
    return *values, told and told.to_dict()


def cells_of(answer: Answer, columns: Sequence[str]) -> tuple[Any, ...]:
    """Return the same for formats whose cells are plain values: the explanation is JSON."""
    values = values_of(answer, columns)
    if not isinstance(values[-1], dict):
        return values
    return *values[:-1], json.dumps(values[-1], ensure_ascii=False)


class DelimitedWriter:
    """CSV and TSV: a header, then every row with its own cells first."""

    def __init__(
        self, table: Table, stream: BinaryIO, added: Sequence[str], *, spreadsheet: bool = False
    ) -> None:
        self._stream, self._delimiter, self._added = stream, table.delimiter, added
        self._kept = [at for at, name in enumerate(table.columns) if name not in OURS]
        self._width, self._safe = len(table.columns), spreadsheet
        # Spreadsheets take a file without its byte order mark for one in another encoding.
        if table.marked or spreadsheet:
            stream.write(codecs.BOM_UTF8)
        self._write([self._line([*(table.columns[at] for at in self._kept), *added])])

    def write(self, rows: Sequence[Row], answers: Sequence[Answer]) -> None:
        """Write rows; cells beyond the header's columns are kept, after the decision's."""
        self._write([self._line(self._cells(*each)) for each in zip(rows, answers, strict=True)])

    def _cells(self, row: Row, answer: Answer) -> list[Any]:
        cells, width = row.cells, self._width
        if len(cells) < width:
            cells = [*cells, *[""] * (width - len(cells))]
        return [*[cells[at] for at in self._kept], *cells_of(answer, self._added), *cells[width:]]

    def _line(self, cells: list[Any]) -> str:
        """Return a row as the csv module writes it, which reads a character at a time, after a line feed."""
        mark, shown = self._delimiter, map(safe_cell, cells) if self._safe else cells
        texts = ["" if cell is None else str(cell) for cell in shown]
        quoted = [
            '"' + text.replace('"', '""') + '"'
            if '"' in text or mark in text or "\n" in text or "\r" in text
            else text
            for text in texts
        ]
        return mark.join(quoted) + "\n"

    def _write(self, lines: list[str]) -> None:
        # Bytes that were not UTF-8 came in as surrogate escapes and go out as they were.
        self._stream.write("".join(lines).encode("utf-8", "surrogateescape"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._stream.flush()


class JsonLinesWriter:
    """JSON Lines: the row's keys, then the decision's."""

    def __init__(self, stream: BinaryIO, added: Sequence[str]) -> None:
        self._stream, self._added = stream, added

    def write(self, rows: Sequence[Row], answers: Sequence[Answer]) -> None:
        """Write rows."""
        lines = [json.dumps(self._object(*each)) for each in zip(rows, answers, strict=True)]
        self._stream.write("".join(line + "\n" for line in lines).encode())

    def _object(self, row: Row, answer: Answer) -> dict[str, Any]:
        # Escapes keep a lone surrogate, which UTF-8 has no bytes for, as it was.
        own = {name: value for name, value in row.to_dict().items() if name not in OURS}
        return own | dict(zip(self._added, values_of(answer, self._added), strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._stream.flush()


class ParquetWriter:
    """Parquet: the file's columns with the decision's after them."""

    def __init__(self, table: Table, stream: BinaryIO, added: Sequence[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {
            "confidence": pa.float64(),
            "score": pa.float64(),
            "threshold": pa.float64(),
            "review": pa.bool_(),
        }
        fields = [pa.field(name, types.get(name.removeprefix(PREFIX), pa.string())) for name in added]
        self._kept = [at for at, name in enumerate(table.columns) if name not in OURS]
        self._added = added
        self._schema = pa.schema([*(table.schema.field(at) for at in self._kept), *fields])
        self._file = pq.ParquetWriter(stream, self._schema)
        self._rows: list[list[Any]] = []
        self._size = 0

    def write(self, rows: Sequence[Row], answers: Sequence[Answer]) -> None:
        """Write rows."""
        for row, answer in zip(rows, answers, strict=True):
            # By place and not by name: two columns may have one name.
            cells = [*(row.cells[at] for at in self._kept), *cells_of(answer, self._added)]
            self._rows.append(cells)
            self._size += sum(len(cell) for cell in cells if isinstance(cell, str | bytes))
            if len(self._rows) >= PARQUET_ROWS or self._size >= PARQUET_SIZE:
                self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            columns = zip(zip(*self._rows, strict=True), self._schema, strict=True)
            arrays = [_array(values, field.type) for values, field in columns]
            self._file.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
            self._rows.clear()
            self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        if fault[0] is None:
            self._flush()
        self._file.close()


def _array(values: Sequence[Any], type: Any) -> Any:
    """Return values as a column; strings that came in as bytes outside UTF-8 go out as they were."""
    import pyarrow as pa

    try:
        return pa.array(values, type)
    except UnicodeEncodeError:
        raw = [None if value is None else value.encode("utf-8", "surrogateescape") for value in values]
        plain = type.value_type if pa.types.is_dictionary(type) else type
        column = pa.array(raw, pa.large_binary()).cast(plain, safe=False)
        return column.dictionary_encode() if pa.types.is_dictionary(type) else column
