"""What was wrong with the rows of a dataset, where, and which of them were dropped for it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assay.config import MAX_TEXT_BYTES

ROWS_NAMED = 20
"""How many row numbers a finding holds."""
ROWS_SHOWN = 5
"""How many of them its message shows."""

KINDS = {
    "ragged": "another number of cells than the header",
    "not_json": "not JSON",
    "not_object": "not a JSON object",
    "empty": "an empty or missing text",
    "not_text": "a number, list or object where a text should be",
    "bad_utf8": "a text or label that is not valid UTF-8",
    "too_long": f"a text over {MAX_TEXT_BYTES // 1024} KB",
    "no_label": "no label",
    "left_out": "a label that the catalogue leaves out of this set",
    "unknown_label": "a label that the task does not know",
    "straddles": "a text that the source also has on its test side (or its validation side)",
    "conflict": "a text that also stands under another label",
    "duplicate": "the same text and label as an earlier row",
}
"""Every kind of finding about rows, with what such a row has; ``too_few`` is about a class."""


@dataclass(frozen=True)
class Finding:
    """One kind of fault: how many rows have it, the first of them, and whether they were dropped.

    ``rows`` are numbers as a person counts them: row 1 of a CSV is the first after the header; of
    JSON Lines it is the line; of a folder of texts it is the file's place in the order of names.
    ``file`` tells the files of one source apart.
    """

    kind: str
    count: int
    rows: tuple[int, ...]
    dropped: bool
    message: str
    file: str = ""


@dataclass(frozen=True)
class Audit:
    """The account of a dataset's rows: ``rows_read`` = ``rows_kept`` + the counts of what was dropped."""

    rows_read: int
    rows_kept: int
    findings: tuple[Finding, ...]

    def lines(self) -> list[str]:
        """Return the account for people: a line of totals, a line a finding, and how rows are counted."""
        dropped = self.rows_read - self.rows_kept
        head = f"{self.rows_read:,} rows read, {self.rows_kept:,} kept, {dropped:,} dropped"
        counted = any(finding.rows for finding in self.findings)
        note = "  (row 1 is the first after the header; in JSON Lines, rows are lines)"
        return [head, *(f"  {finding.message}" for finding in self.findings), *([note] if counted else [])]

    def to_dict(self) -> dict[str, Any]:
        """Return the account as plain values, for JSON."""
        return asdict(self)


def name_rows(rows: Sequence[int], count: int) -> str:
    """Return ``row 3``, or ``rows 3, 9 and 4 more``, given the first of ``count`` rows."""
    named = ", ".join(str(row) for row in rows[:ROWS_SHOWN])
    more = f" and {count - ROWS_SHOWN:,} more" if count > ROWS_SHOWN else ""
    return f"{'row' if count == 1 else 'rows'} {named}{more}"


class Ledger:
    """Counts rows by what was found about them."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, bool, str], int] = {}
        self._rows: dict[tuple[str, bool, str], list[int]] = {}
        self._classes: list[Finding] = []

    def note(self, kind: str, row: int, *, file: str = "", dropped: bool = True) -> None:
        """Count one row under a kind of ``KINDS``."""
        key = (kind, dropped, file)
        self._counts[key] = self._counts.get(key, 0) + 1
        rows = self._rows.setdefault(key, [])
        if len(rows) < ROWS_NAMED:
            rows.append(row)

    def note_class(self, label: str, side: str, count: int, needed: int) -> None:
        """Say that a label has ``count`` rows on a side, fewer than the ``needed``."""
        message = (
            f"too_few: the label {label!r} has {count} rows on the {side} side; "
            f"with fewer than {needed}, what is learned or measured there means little"
        )
        self._classes.append(Finding("too_few", count, (), False, message))

    def audit(self, rows_read: int) -> Audit:
        """Return the account so far, in the order of ``KINDS``."""
        keys = sorted(self._counts, key=lambda key: (list(KINDS).index(key[0]), key[2], not key[1]))
        dropped = sum(count for key, count in self._counts.items() if key[1])
        findings = (*map(self._finding, keys), *self._classes)
        return Audit(rows_read, rows_read - dropped, findings)

    def _finding(self, key: tuple[str, bool, str]) -> Finding:
        kind, dropped, file = key
        count, rows = self._counts[key], tuple(self._rows[key])
        where = name_rows(rows, count) + (f" of {file}" if file else "")
        fate = "dropped" if dropped else "kept"
        message = f"{kind}: {count:,} {fate} with {KINDS[kind]} ({where})"
        return Finding(kind, count, rows, dropped, message, file)
