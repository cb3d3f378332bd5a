"""Rows of a CSV, TSV, JSON Lines or Parquet file, one at a time, with what is wrong with each."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, NamedTuple, Self

from assay.datasets.compression import COMPRESSIONS, decompress
from assay.exceptions import ColumnError, DataError

Format = Literal["csv", "tsv", "jsonl", "parquet"]
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
MAX_ROW = 16 * 1024**2
"""The longest row of a text format, in characters (JSON Lines: bytes); a longer one ends the reading."""


class Fault(NamedTuple):
    """Why one row cannot be used: a kind for programs, a sentence for people."""

    kind: Literal["ragged", "unclosed_quote", "not_json", "not_object"]
    message: str


class Row(NamedTuple):
    """One row as it stands in its file: names and cells in parallel, and a fault or None."""

    number: int
    names: Sequence[str]
    cells: Sequence[Any]
    fault: Fault | None = None

    def get(self, name: str) -> Any:
        """Return the cell of a column (the first, where two have the name), or None where it has none."""
        try:
            return self.cells[self.names.index(name)]
        except (ValueError, IndexError):
            return None

    def to_dict(self) -> dict[str, Any]:
        """Return the cells by column name."""
        return dict(zip(self.names, self.cells, strict=False))


@dataclass(frozen=True)
class Layout:
    """What a text format leaves open: the separator of cells, names where no header gives them, quotes."""

    delimiter: str = ""
    columns: tuple[str, ...] = ()
    quoted: bool = True


@dataclass
class Table:
    """The columns and rows of one file; iterate once, and close it or use it in ``with``.

    ``columns`` are the header's names as they stand (JSON Lines: the keys of the first object).
    A row with a ``fault`` is yielded like any other, so that one bad row stops nothing; only damage
    after which no row can be told from the next (a truncated archive, a row over MAX_ROW) raises
    DataError from the iterator. ``number`` counts as a person does: row 1 is the first after the
    header; for JSON Lines it is the line. Blank lines of a CSV are no rows.

    Cells of CSV and TSV are text. JSON Lines and Parquet give Python values, None for null; a JSON
    Lines row has its own ``names``. Bytes that are not UTF-8 are kept as surrogate escapes (PEP 383):
    ``cell.encode()`` raises, and writing with ``errors="surrogateescape"`` restores them.

    To write the same rows back: ``delimiter`` is the CSV's own, ``schema`` the pyarrow schema of a
    Parquet file.
    """

    name: str
    format: Format | Literal["folder"]
    columns: tuple[str, ...]
    rows: Iterator[Row]
    delimiter: str = ""
    schema: Any = None
    stack: ExitStack = field(default_factory=ExitStack, repr=False)

    def __iter__(self) -> Iterator[Row]:
        try:
            yield from self.rows
        except (OSError, EOFError, zlib.error) as error:
            raise _unreadable(self.name, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a stream that was passed in stays open."""
        self.stack.close()

    def require(self, name: str) -> str:
        """Return the name of a column that exists once.

        Raises ColumnError, listing the columns, when there is none or more than one.
        """
        count = self.columns.count(name)
        if count != 1:
            what = "has no column" if count == 0 else f"has {count} columns named"
            raise ColumnError(
                f"{self.name} {what} {name!r}; its columns are {list(self.columns)}. Name one of them.",
                column=name,
                columns=list(self.columns),
            )
        return name


def _unreadable(name: str, error: BaseException) -> DataError:
    return DataError(
        f"{name} cannot be read: {str(error).strip() or type(error).__name__}. "
        "It may be truncated or not in the format that its name says; make or fetch it again.",
        source=name,
    )


def format_of(path: Path) -> Format:
    """Return the format that a file's name says, below a compression's ending.

    Raises DataError, listing the endings that are known, for any other.
    """
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    if plain.suffix.lower() in SUFFIXES:
        return SUFFIXES[plain.suffix.lower()]
    raise DataError(
        f"The name {path.name!r} does not say a format. Known endings: {', '.join(SUFFIXES)}, "
        f"each also with {', '.join(COMPRESSIONS)}. Rename the file or convert it.",
        path=path,
        known=[*SUFFIXES, *COMPRESSIONS],
    )


def read_table(
    source: Path | str | BinaryIO,
    format: Format | None = None,
    *,
    layout: Layout | None = None,
    name: str | None = None,
) -> Table:
    """Open a file or a stream of bytes as a table; rows are read as they are asked for.

    CSV and JSON Lines take the memory of one row, Parquet that of one batch. The format and the
    compression follow from a path's name; a stream (standard input) needs ``format`` and is read
    as it is. ``layout`` describes a text file without a header or with a separator of its own;
    ``name`` is what messages call the source.

    Raises DataError for a file that is missing, empty, unreadable, or of an unknown format, and
    MissingExtra when Parquet or Zstandard is met without pyarrow.
    """
    if isinstance(source, str):
        source = Path(source)
    if isinstance(source, Path):
        format, name = format or format_of(source), name or str(source)
    elif format is None:
        raise DataError(f"The format of a stream must be said: one of {sorted(set(SUFFIXES.values()))}.")
    name = name or str(getattr(source, "name", "the stream"))
    with ExitStack() as stack:
        try:
            stream = _open_path(source, stack) if isinstance(source, Path) else source
            table = _open(stream, name, format, layout or Layout(), stack)
        except FileNotFoundError as error:
            raise DataError(f"There is no file {name!r}.", source=name) from error
        except (OSError, EOFError, zlib.error) as error:
            raise _unreadable(name, error) from error
        table.stack = stack.pop_all()
    return table


def _open_path(path: Path, stack: ExitStack) -> BinaryIO:
    packed = path.suffix.lower()
    stream = stack.enter_context(path.open("rb"))
    return decompress(stream, packed, stack) if packed in COMPRESSIONS else stream


def _open(stream: BinaryIO, name: str, format: Format, layout: Layout, stack: ExitStack) -> Table:
    from assay.datasets import delimited, jsonlines, parquet

    if format == "parquet":
        return parquet.open_table(stream, name, stack)
    if format == "jsonl":
        return jsonlines.open_table(stream, name)
    return delimited.open_table(stream, name, format, layout, stack)
