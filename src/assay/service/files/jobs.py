"""One uploaded file, scored a few rows at a time."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.estimators import Cascade
from assay.exceptions import ColumnError, DataError, MissingExtra, RequestRefused
from assay.service.errors import brief, fault, invalid, shown
from assay.service.files.keeping import Upload
from assay.service.files.unpacking import refusal, too_large
from assay.service.limits import FILE_CHARACTERS, FILE_ROWS, MAX_COLUMNS_SHOWN

if TYPE_CHECKING:
    from assay.scoring import Scored

MAX_MESSAGE = 1_000
"""Characters of a reader's message that an error carries."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a client wants of a file: its column of texts (None: by its usual name), and what is added."""

    column: str | None = None
    explain: bool = False
    spreadsheet: bool = False


class Job:
    """One file that is being scored; every part is made by whoever asks for it, in its own thread."""

    def __init__(self, cascade: Cascade, upload: Upload, asked: Asked, longest: int, held: ExitStack) -> None:
        from assay.datasets import read_table
        from assay.scoring import score_parts

        self._lock = threading.Lock()
        name = brief(upload.name) or "the file"
        table = held.enter_context(read_table(upload.stream, upload.format, name=name))
        if table.unpacked > longest:
            raise too_large(longest)
        self._parts = score_parts(
            cascade,
            table,
            asked.column,
            explain=asked.explain,
            spreadsheet=asked.spreadsheet,
            rows=FILE_ROWS,
            size=FILE_CHARACTERS,
        )
        held.callback(self._close)

    @classmethod
    def begin(
        cls, cascade: Cascade, upload: Upload, asked: Asked, longest: int, held: ExitStack
    ) -> "tuple[Job, Scored | None]":
        """Return the job of a file with its first part, so that what ails the whole file is told before any.

        Raises RequestRefused: 422 for a file that cannot be read or has no such column, 413 for Parquet that
        is too long uncompressed, 415 without pyarrow.
        """
        try:
            job = cls(cascade, upload, asked, longest, held)
            return job, job.step()
        except (DataError, MissingExtra) as error:
            raise _refusal_of(error, asked) from error

    def step(self) -> "Scored | None":
        """Return the next part, or None after the last; raises DataError where the file is damaged."""
        with self._lock:
            return next(self._parts, None)

    def _close(self) -> None:
        # A process that is told to stop does not wait for the thread of a step.
        with self._lock:
            self._parts.close()


def _refusal_of(error: DataError | MissingExtra, asked: Asked) -> RequestRefused:
    if isinstance(error, MissingExtra):
        return refusal(415, "unsupported_media_type", f"The service cannot read the file. {error.message}")
    if isinstance(error, ColumnError):
        columns = [brief(str(name)) for name in error.data["columns"]]
        return invalid([fault("text", _sentence(columns, asked.column), asked.column)])
    message = error.message.encode("utf-8", "backslashreplace").decode()
    return refusal(422, "unreadable_file", message[:MAX_MESSAGE])


def _sentence(columns: list[str], column: str | None) -> str:
    more = f" and {len(columns) - MAX_COLUMNS_SHOWN:,} more" if len(columns) > MAX_COLUMNS_SHOWN else ""
    listed = f"the file has {columns[:MAX_COLUMNS_SHOWN]}{more}. Name one with ?text=COLUMN."
    if column is None:
        return f"Which column holds the texts? No single one has a usual name; {listed}"
    count = columns.count(column)
    what = f"is the name of {count} columns" if count > 1 else "is no column"
    return f"{shown(column)} {what}; {listed}"
