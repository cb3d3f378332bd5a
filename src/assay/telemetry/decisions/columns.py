"""Files of the log as Parquet: a column a field, a run of row groups for each file that went into it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple, Self

from assay.exceptions import MissingExtra
from assay.telemetry.decisions.lines import Found, is_sound
from assay.telemetry.decisions.record import NAMES, Record

SOURCES = "assay.sources"
"""Metadata: the files that went in, in order, each with its number of row groups."""
MORE = "more"
"""Column of what a line held beside the fields that are known, as JSON."""
COLUMNS = ("at", *NAMES, MORE)

GROUP_ROWS = 16_384
GROUP_CHARACTERS = 8 * 1024**2
"""Rows, and characters of their texts, that make a row group."""
BATCH_ROWS = 1_024

FLOATS = ("confidence", "score", "threshold", "unknown", "share")
MILLION = 1_000_000


class Needle(NamedTuple):
    """The value that a field must have, 32 hexadecimal digits: found in a file before it is parsed."""

    name: str
    value: str


class Source(NamedTuple):
    """A file that went into a Parquet file, by its name without ending, and its row groups."""

    name: str
    groups: tuple[int, ...]


class Damage(Exception):
    """A Parquet file that cannot be read."""


def pyarrow() -> Any:
    """Return pyarrow; raises MissingExtra, saying what to install, where there is none."""
    try:
        import pyarrow as pa
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra(
            "A Parquet file of the decision log", package="pyarrow", extra="parquet"
        ) from error
    return pa


class ColumnFile:
    """An open Parquet file of the log. Raises Damage for one that is none or cannot be read."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._pa = pyarrow()
        try:
            self._file = self._pa.parquet.ParquetFile(stream, pre_buffer=False)
            self._names = [each for each in self._file.schema_arrow.names if each in COLUMNS]
        except (self._pa.ArrowException, OSError) as error:
            raise Damage(str(error)) from error
        if missing := {"at", "id", "task", "model", "version", "label", "confidence"} - {*self._names}:
            raise Damage(f"it has no columns {sorted(missing)}")
        self.sources = self._sources(name)

    def _sources(self, name: str) -> list[Source]:
        count = self._file.metadata.num_row_groups
        with suppress(KeyError, TypeError, ValueError):
            listed = json.loads((self._file.metadata.metadata or {})[SOURCES.encode()])
            found, at = [], 0
            for each, groups in listed:
                found.append(Source(str(each), tuple(range(at, at + groups))))
                at += groups
            if at == count:
                return found
        # Another program made or rewrote it: it stands for itself.
        return [Source(name, tuple(range(count)))]

    def rows(
        self,
        source: Source,
        *,
        since: float = float("-inf"),
        until: float = float("inf"),
        needle: Needle | None = None,
    ) -> Iterator[Found]:
        """Yield the records of one of the sources; row groups that hold none between two moments are left.

        Raises Damage.
        """
        try:
            for group in source.groups:
                if self._may_hold(group, since, until) and (needle is None or self._holds(group, needle)):
                    yield from self._group(group)
        except (self._pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise Damage(str(error)) from error

    def _may_hold(self, group: int, since: float, until: float) -> bool:
        at = self._file.schema_arrow.names.index("at")
        told = self._file.metadata.row_group(group).column(at).statistics
        if told is None or not told.has_min_max or not isinstance(told.min, datetime):
            return True
        first, last = (each.replace(tzinfo=UTC).timestamp() for each in (told.min, told.max))
        return bool(first < until and last >= since)

    def _holds(self, group: int, needle: Needle) -> bool:
        if needle.name not in self._names:
            return False
        column = self._file.read_row_group(group, columns=[needle.name], use_threads=False).column(0)
        return bool(self._pa.compute.any(self._pa.compute.equal(column, needle.value)).as_py())

    def _group(self, group: int) -> Iterator[Found]:
        batches = self._file.iter_batches(
            batch_size=BATCH_ROWS, row_groups=[group], columns=self._names, use_threads=False
        )
        moment = self._pa.timestamp("us", tz="UTC")
        for batch in batches:
            columns = {name: batch.column(at) for at, name in enumerate(batch.schema.names)}
            columns["at"] = columns["at"].cast(moment).cast(self._pa.int64())
            values = [column.to_pylist() for column in columns.values()]
            for row in zip(*values, strict=True):
                yield _found(dict(zip(columns, row, strict=True)))


def _found(row: dict[str, Any]) -> Found:
    given = {name: value for name, value in row.items() if value is not None}
    try:
        more = dict(json.loads(given.pop(MORE, "{}")))
        record = Record(**{**given, "at": given["at"] / MILLION})
    except (KeyError, TypeError, ValueError) as error:
        raise Damage(f"a row is no record: {error}") from error
    if not is_sound(record):
        raise Damage("a row is no record: a field is of another type")
    return Found(record, more)


def schema() -> Any:
    """Return the schema of the log as Parquet."""
    pa = pyarrow()
    types = {name: pa.float64() for name in FLOATS}
    types |= {"at": pa.timestamp("us", tz="UTC"), "characters": pa.int64(), "review": pa.bool_()}
    return pa.schema([pa.field(name, types.get(name, pa.string())) for name in COLUMNS])


@dataclass
class ColumnWriter:
    """Writes records to a stream as Parquet; leaving the block completes the file."""

    stream: BinaryIO
    sources: list[tuple[str, int]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._pa, self._schema = pyarrow(), schema()
        self._stack = ExitStack()
        self._file = self._pa.parquet.ParquetWriter(self.stream, self._schema, compression="zstd")
        self._stack.callback(self._file.close)
        self._rows: list[Found] = []
        self._characters = self._groups = 0
        return self

    def __exit__(self, *fault: object) -> None:
        with self._stack:
            if fault[0] is None:
                self._flush()
                if self.sources:
                    self._file.add_key_value_metadata({SOURCES: json.dumps(self.sources)})

    def write(self, found: Found) -> None:
        """Write one record."""
        self._rows.append(found)
        self._characters += len(found.record.text or "")
        if len(self._rows) >= GROUP_ROWS or self._characters >= GROUP_CHARACTERS:
            self._flush()

    def end_source(self, name: str) -> None:
        """Note that what was written since the source before came from one file."""
        self._flush()
        self.sources.append((name, self._groups))
        self._groups = 0

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = [_column(self._rows, name) for name in COLUMNS]
        pairs = zip(columns, self._schema, strict=True)
        arrays = [self._pa.array(values, each.type) for values, each in pairs]
        self._file.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))
        self._rows.clear()
        self._characters = 0
        self._groups += 1


def _column(rows: Sequence[Found], name: str) -> list[Any]:
    if name == "at":
        return [round(each.record.at * MILLION) for each in rows]
    if name == MORE:
        return [json.dumps(each.more) if each.more else None for each in rows]
    return [getattr(each.record, name) for each in rows]
