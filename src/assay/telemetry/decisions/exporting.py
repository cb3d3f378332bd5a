"""Logged decisions as a file: CSV for spreadsheets, JSON Lines, Parquet."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from assay.exceptions import LogError
from assay.scoring import replacing, safe_cell
from assay.telemetry.decisions.columns import ColumnWriter, pyarrow
from assay.telemetry.decisions.lines import Found
from assay.telemetry.decisions.record import NAMES, Record

FORMATS = (".csv", ".jsonl", ".parquet")


def export_records(records: Iterable[Record], path: Path) -> int:
    """Write records to a file that appears whole or not at all; return how many there were.

    The ending says the format: ``.csv`` (UTF-8 with a byte order mark, and no cell that a spreadsheet would
    run as a formula), ``.jsonl`` (lines as the log has them) or ``.parquet``. Raises LogError for another
    ending, MissingExtra for Parquet without pyarrow, DataError when it cannot be written.
    """
    write = {".csv": _write_csv, ".jsonl": _write_lines, ".parquet": _write_columns}.get(path.suffix.lower())
    if write is None:
        raise LogError(
            f"{path.name!r} says no format that decisions are exported to. Name a file that ends in "
            f"{', '.join(FORMATS)}.",
            path=path,
        )
    if write is _write_columns:
        pyarrow()
    with replacing(path) as stream:
        return write(records, stream)


def moment_of(record: Record) -> str:
    """Return when it was decided as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(record.at, UTC).isoformat(timespec="microseconds")


def _write_csv(records: Iterable[Record], stream: BinaryIO) -> int:
    text = io.TextIOWrapper(stream, "utf-8-sig", newline="", write_through=True)
    rows = csv.writer(text)
    rows.writerow(("at", *NAMES))
    count = 0
    for record in records:
        cells = [getattr(record, name) for name in NAMES]
        rows.writerow([moment_of(record), *(safe_cell("" if each is None else each) for each in cells)])
        count += 1
    text.detach()
    return count


def _write_lines(records: Iterable[Record], stream: BinaryIO) -> int:
    count = 0
    for record in records:
        stream.write(record.line())
        count += 1
    return count


def _write_columns(records: Iterable[Record], stream: BinaryIO) -> int:
    count = 0
    with ColumnWriter(stream) as writer:
        for record in records:
            writer.write(Found(record, {}))
            count += 1
    return count
