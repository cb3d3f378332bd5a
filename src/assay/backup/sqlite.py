"""SQLite files copied while others write to them, and checked."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from assay.exceptions import BackupError

WAIT_SECONDS = 60.0
"""How long a process that holds the whole database is waited for."""


def snapshot(source: Path, target: Path) -> None:
    """Write one state of a database into a new file, whoever writes to it meanwhile.

    Raises BackupError when it cannot be read, is damaged, or is locked for longer than WAIT_SECONDS.
    """
    deadline = time.monotonic() + WAIT_SECONDS

    def watch(*_: int) -> None:
        if time.monotonic() > deadline:
            raise BackupError(
                f"{source} has been locked by another process for over {WAIT_SECONDS:g} seconds. "
                "Look for that process, then try again."
            )

    try:
        # Not mode=ro: whoever reads first after a kill in the middle of a commit undoes it from the journal.
        uri = f"{source.absolute().as_uri()}?mode=rw"
        with (
            closing(sqlite3.connect(uri, uri=True, timeout=0.05)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            # All pages in one step: in several, each write of another process would begin it anew.
            live.backup(copy, progress=watch, sleep=0.05)
            # One file, also of a database that is written with a log beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be backed up: {error}. Nothing of it was kept.") from error
    check(target, named=str(source))


def check(path: Path, *, named: str) -> None:
    """Raise BackupError unless a database is whole, down to its pages and indexes."""
    try:
        with closing(sqlite3.connect(path)) as database:
            found = [str(row[0]) for row in database.execute("PRAGMA integrity_check(5)")]
    except sqlite3.Error as error:
        found = [str(error)]
    if found != ["ok"]:
        raise BackupError(
            f"The database {named} is damaged: {'; '.join(found)}. Restore it from a backup of before: "
            "assay restore FROM --backup NAME"
        )
