"""Rows of a CSV, TSV, JSON Lines or Parquet file, one at a time, with what is wrong with each."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from assay.exceptions import ColumnError, DataError

Format = Literal["csv", "tsv", "jsonl", "parquet"]
MAX_ROW = 16 * 1024**2
"""The longest row of a text format, in characters (JSON Lines: bytes); a longer one ends the reading."""


class Fault(NamedTuple):
    """Why one row cannot be used: a kind for programs, a sentence for people."""

    kind: Literal["ragged", "unclosed_quote", "not_json", "not_object"]
    message: str


class Row(NamedTuple):
    """One row as it stands in its file: names and cells in parallel, and a fault or None.

    ``size`` is what it takes there, in characters or bytes; 0 where that is not known.
    """

    number: int
    names: Sequence[str]
    cells: Sequence[Any]
    fault: Fault | None = None
    size: int = 0

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
    ``cell.encode()`` raises, and writing with ``errors="surrogateescape"`` restores them. CSV in UTF-16
    with a byte order mark is read too, with U+FFFD for what is no character.

    To write the same rows back, in UTF-8: ``delimiter`` is the CSV's own, ``marked`` says that it begins
    with a byte order mark, ``schema`` is the pyarrow schema of a Parquet file. ``unpacked`` is how many
    bytes a Parquet file says that its columns take uncompressed.
    """

    name: str
    format: Format | Literal["folder"]
    columns: tuple[str, ...]
    rows: Iterator[Row]
    delimiter: str = ""
    marked: bool = False
    schema: Any = None
    unpacked: int = 0
    stack: ExitStack = field(default_factory=ExitStack, repr=False)

    def __iter__(self) -> Iterator[Row]:
        try:
            yield from self.rows
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable(self.name, error) from error

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


def unreadable(name: str, error: BaseException) -> DataError:
    """Return the error for a file whose bytes cannot be read on."""
    return DataError(
        f"{name} cannot be read: {str(error).strip() or type(error).__name__}. "
        "It may be truncated or not in the format that its name says; make or fetch it again.",
        source=name,
    )
