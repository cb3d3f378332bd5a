"""Files of a decision log, written as the service writes them."""

import gzip
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assay.telemetry import Record
from assay.telemetry.decisions.names import active_name, closed_name

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC).timestamp()


def id_at(moment: float, number: int = 0) -> str:
    """Return a decision's id that was made at a moment; another number is another id."""
    return f"{round(moment * 1000):012x}7abc8{number:015x}"


def record(number: int = 0, at: float | None = None, **fields: Any) -> Record:
    """Return a decision, a second later for each number; the number is told by its characters."""
    moment = NOON + number if at is None else at
    values = {
        **{"id": id_at(moment, number), "task": "spam", "model": "SpamClassifier", "version": "1"},
        **{"label": "ham", "confidence": 0.75, "score": 0.25, "threshold": 0.5, "characters": number},
        **{"text_hash": "0" * 32, "request_id": f"r{number}", "key": "ann", "route": "/predict"},
    }
    return Record(at=moment, **{**values, **fields})


def lines(records: Iterable[Record]) -> bytes:
    """Return records as the lines of a file."""
    return b"".join(each.line() for each in records)


def write_active(folder: Path, records: Iterable[Record], slot: int = 1, tail: bytes = b"") -> Path:
    """Write a file that a worker writes to."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / active_name(slot)
    path.write_bytes(lines(records) + tail)
    return path


def write_closed(
    folder: Path, records: Sequence[Record], slot: int = 1, *, packed: bool = False, tail: bytes = b""
) -> Path:
    """Write a closed file, compressed or not."""
    folder.mkdir(parents=True, exist_ok=True)
    moments = [each.at for each in records]
    path = folder / closed_name(slot, min(moments), max(moments))
    data = lines(records) + tail
    if packed:
        path = path.with_name(f"{path.name}.gz")
        data = gzip.compress(data)
    path.write_bytes(data)
    return path


def numbers(records: Iterable[Record]) -> list[int]:
    """Return the numbers of records in their order."""
    return [each.characters for each in records]
