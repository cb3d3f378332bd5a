"""Usable examples out of the files of a source, with a note of every row that is not one."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from assay.config import MAX_TEXT_BYTES
from assay.datasets.columns import find_column, slice_columns
from assay.datasets.sources import Part, Source
from assay.datasets.splitting import Side, digest_of
from assay.datasets.table import Row, Table
from assay.datasets.validation import Ledger
from assay.exceptions import DataError

EMPTY = "(empty)"
"""The value of a column whose cell is empty or missing."""


class Example(NamedTuple):
    """A labelled text, where it was read, and the digest that equal texts share.

    ``values`` are those of ``Reader.columns``, perhaps with more after them.
    """

    text: str
    label: str
    digest: bytes
    row: int
    file: str
    side: Side | None
    values: tuple[str, ...] = ()


class Reader:
    """Reads the parts of a source one after the other, noting in ``ledger`` what it leaves out.

    ``unknown`` counts the labels that are not ``allowed`` (None: all are). ``columns`` names what reports
    are sliced by: the ``slices`` that were asked for, and ``source`` where every part has such a column.
    """

    def __init__(
        self,
        source: Source,
        ledger: Ledger,
        *,
        rename: Mapping[str, str],
        allowed: Collection[str] | None,
        salt: str,
        slices: Sequence[str] = (),
    ) -> None:
        self._source, self._ledger, self._salt = source, ledger, salt
        self._rename, self._allowed = rename, allowed
        self._slices = tuple(dict.fromkeys(slices))
        self.rows_read = 0
        self.columns: tuple[str, ...] = ()
        self.unknown: Counter[str] = Counter()

    def read(self) -> list[Example]:
        """Return the usable examples of all parts, in the order of their files."""
        examples: list[Example] = []
        found: list[tuple[str, ...]] = []
        for part in self._source.parts:
            with part.open() as table:
                text = find_column(table, self._source.text, "text")
                label = find_column(table, self._source.label, "label")
                sliced = slice_columns(table, self._slices, (text, label))
                found.append(tuple(sliced))
                examples += self._examples(part, table, text, label, tuple(sliced.values()))
        # Those that were asked for come first, and every part has them: the shortest is what all have.
        self.columns = min(found, key=len, default=())
        return examples

    def _examples(
        self, part: Part, table: Table, text_column: str, label_column: str, sliced: Sequence[str]
    ) -> Iterator[Example]:
        for row in table:
            self.rows_read += 1
            text, label = row.get(text_column), self._label(row.get(label_column))
            kind = self._fault(row, table, text, label)
            if kind is None:
                text = text_of(text)
                digest = digest_of(text, self._salt)
                values = tuple(value_of(row.get(name)) for name in sliced)
                yield Example(text, label, digest, row.number, part.file, part.side, values)
            else:
                self._ledger.note(kind, row.number, file=part.file)

    def _label(self, value: Any) -> str:
        written = label_of(value)
        if written in self._rename:
            return self._rename[written]
        known = self._source.rename.get(written, written)
        return self._rename.get(known, known)

    def _fault(self, row: Row, table: Table, text: Any, label: str) -> str | None:
        """Return the kind of finding that keeps a row from being an example, or None."""
        if row.fault:
            _refuse_unclosed(row, table)
            return row.fault.kind
        if label in self._source.leave_out:
            return "left_out"
        kind = fault_of_text(text) or _fault_of_label(label)
        if kind is None and self._allowed is not None and label not in self._allowed:
            self.unknown[label] += 1
            return "unknown_label"
        return kind


def _refuse_unclosed(row: Row, table: Table) -> None:
    if row.fault and row.fault.kind == "unclosed_quote":
        raise DataError(
            f"In row {row.number} of {table.name} {row.fault.message}. Close the quote, or double it "
            "if it is part of the text.",
            row=row.number,
        )


def text_of(value: Any) -> str:
    """Return a cell as text: bytes are taken as UTF-8, undecodable ones kept as surrogate escapes."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def label_of(value: Any) -> str:
    """Return a cell as a label: ``1`` and ``1.0`` are ``"1"``, a null or NaN is ``""``."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "" if value != value else f"{value:g}"
    return "" if value is None else text_of(value if isinstance(value, bytes) else str(value)).strip()


def value_of(cell: Any) -> str:
    """Return a cell as a value that rows are grouped by: on one line, valid Unicode, never empty."""
    words = " ".join(label_of(cell).split())
    return words.encode("utf-8", "backslashreplace").decode() or EMPTY


def fault_of_text(value: Any) -> str | None:
    """Return the kind of finding that keeps a cell from being a usable text, or None."""
    if value is None:
        return "empty"
    if not isinstance(value, str | bytes):
        return "not_text"
    text = text_of(value)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "bad_utf8"
    if size > MAX_TEXT_BYTES:
        return "too_long"
    return "empty" if not text or text.isspace() else None


def _fault_of_label(label: str) -> str | None:
    if not label:
        return "no_label"
    return None if label.isascii() or label.encode("utf-8", "replace").decode() == label else "bad_utf8"
