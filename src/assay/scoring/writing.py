"""Rows back to their file's format, the decision's columns after their own."""

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, Self

from assay.datasets import Row, Table
from assay.estimators import Decision
from assay.exceptions import DataError

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
COLUMNS = tuple(PREFIX + name for name in (*FIELDS, "error"))
"""The columns that are added; those of an earlier scoring under the same names are replaced."""

Answer = Decision | str
"""A decision, or the sentence that says why a row has none."""

PARQUET_ROWS = 4096


class Writer(Protocol):
    """Writes rows to a stream; leaving the block completes the file."""

    def write(self, row: Row, answer: Answer) -> None:
        """Write one row."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *fault: object) -> None: ...


def writer_for(table: Table, stream: BinaryIO) -> Writer:
    """Return the writer of a table's format; the stream is the caller's and stays open."""
    if table.format == "jsonl":
        return JsonLinesWriter(stream)
    if table.format == "parquet":
        return ParquetWriter(table, stream)
    if table.format in ("csv", "tsv"):
        return DelimitedWriter(table, stream)
    raise DataError(f"{table.name} is a {table.format}; score a CSV, TSV, JSON Lines or Parquet file.")


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Give a stream to a draft that takes the path's place when the block ends well, and is deleted else."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as stream:
            yield stream
        draft.replace(path)
    except OSError as error:
        raise DataError(
            f"{str(path)!r} could not be written: {error.strerror or error}.", path=path
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def values_of(answer: Answer) -> dict[str, Any]:
    """Return the decision's columns of one row."""
    if isinstance(answer, str):
        return dict.fromkeys(COLUMNS) | {f"{PREFIX}error": answer}
    return {PREFIX + name: getattr(answer, name) for name in FIELDS} | {f"{PREFIX}error": None}


class DelimitedWriter:
    """CSV and TSV: a header, then every row with its own cells first."""

    def __init__(self, table: Table, stream: BinaryIO) -> None:
        # Bytes that were not UTF-8 came in as surrogate escapes and go out as they were.
        self._text = io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline="", write_through=True)
        self._csv = csv.writer(self._text, delimiter=table.delimiter, lineterminator="\n")
        self._kept = [at for at, name in enumerate(table.columns) if name not in COLUMNS]
        self._width = len(table.columns)
        self._csv.writerow([*(table.columns[at] for at in self._kept), *COLUMNS])

    def write(self, row: Row, answer: Answer) -> None:
        """Write one row; cells beyond the header's columns are kept, after the decision's."""
        cells = [*row.cells, *[""] * (self._width - len(row.cells))]
        decided = ["" if value is None else value for value in values_of(answer).values()]
        self._csv.writerow([*(cells[at] for at in self._kept), *decided, *cells[self._width :]])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._text.detach()


class JsonLinesWriter:
    """JSON Lines: the row's keys, then the decision's."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, row: Row, answer: Answer) -> None:
        """Write one row."""
        # Escapes keep a lone surrogate, which UTF-8 has no bytes for, as it was.
        self._stream.write(json.dumps(row.to_dict() | values_of(answer)).encode() + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._stream.flush()


class ParquetWriter:
    """Parquet: the file's schema with the decision's columns after it."""

    def __init__(self, table: Table, stream: BinaryIO) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {
            "confidence": pa.float64(),
            "score": pa.float64(),
            "threshold": pa.float64(),
            "review": pa.bool_(),
        }
        added = [pa.field(name, types.get(name.removeprefix(PREFIX), pa.string())) for name in COLUMNS]
        kept = [field for field in table.schema if field.name not in COLUMNS]
        self._schema = pa.schema([*kept, *added])
        self._file = pq.ParquetWriter(stream, self._schema)
        self._rows: list[dict[str, Any]] = []

    def write(self, row: Row, answer: Answer) -> None:
        """Write one row."""
        self._rows.append(row.to_dict() | values_of(answer))
        if len(self._rows) >= PARQUET_ROWS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._file.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._flush()
        self._file.close()
