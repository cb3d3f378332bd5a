"""Decision logs for tests: records with ids of their own time, files as a service leaves them."""

import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from assay.database import Database
from assay.telemetry import Feedback
from assay.telemetry.decisions.names import active_name, closed_name
from assay.telemetry.decisions.record import Record

NOW = 1_764_400_000.0
SAID = NOW + 10 * 86_400
"""When feedback is given; each time a little later."""
_numbers = count(1)


def id_at(moment: float) -> str:
    """Return an id of a decision made at a moment, each another one."""
    return f"{int(moment * 1000):012x}7{next(_numbers):019x}"


def record(at: float = NOW, **parts: Any) -> Record:
    """Return a decision of the task spam."""
    values = {"task": "spam", "model": "SpamClassifier", "version": "1", "label": "spam", "confidence": 0.95}
    return Record(**{"at": at, "id": id_at(at), **values, **parts})


def write_active(folder: Path, records: Iterable[Record], slot: int = 1, tail: bytes = b"") -> Path:
    """Append records to a file that is being written."""
    folder.mkdir(exist_ok=True)
    path = folder / active_name(slot)
    with path.open("ab") as file:
        file.writelines(each.line() for each in records)
        file.write(tail)
    return path


def write_closed(folder: Path, records: Sequence[Record], slot: int = 1, *, packed: bool = False) -> Path:
    """Write a closed file."""
    folder.mkdir(exist_ok=True)
    moments = [each.at for each in records]
    path = folder / closed_name(slot, min(moments), max(moments))
    data = b"".join(each.line() for each in records)
    if packed:
        path = path.with_name(f"{path.name}.gz")
        data = gzip.compress(data)
    path.write_bytes(data)
    return path


def rotate(path: Path, first: float, last: float, slot: int = 1) -> Path:
    """Give a file that was written to its closed name."""
    return path.rename(path.with_name(closed_name(slot, first, last)))


def say(
    database: Database, decisions: Iterable[str | Record], label: str = "spam", key: str = "ann", **more: Any
) -> None:
    """Give feedback on some decisions."""
    feedback = Feedback(database, now=_clock)
    for each in decisions:
        decision = each if isinstance(each, str) else each.id
        feedback.keep(decision, label, key=key, **{"task": "", **more})


def _clock() -> datetime:
    return datetime.fromtimestamp(SAID + next(_numbers) / 1000, UTC)


def judged(database: Database) -> set[str]:
    """Return the ids of the decisions that were found."""
    with database.reading() as connection:
        return {row[0] for row in connection.execute("SELECT decision FROM judged").fetchall()}
