"""Closed files of a day that is over, put together as one Parquet file."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from assay.telemetry.decisions.columns import ColumnFile, ColumnWriter, Damage, pyarrow
from assay.telemetry.decisions.lines import Found, lines_of, open_file, open_lines, parse
from assay.telemetry.decisions.listing import check_folder, list_log, source_of
from assay.telemetry.decisions.names import SPAN_FORMAT, STEM, LogName
from assay.telemetry.decisions.notes import Notes
from assay.telemetry.decisions.reading import UNREADABLE
from assay.telemetry.decisions.upkeep import drafted, sync_folder, upkeep


@dataclass(frozen=True)
class Compacted:
    """A day that was put together."""

    day: date
    files: int
    records: int
    before: int
    after: int
    """Bytes on the disk."""


class _Unreadable(Exception):
    """One of the files that are put together cannot be read to its end; its cause says why."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


def compact(folder: Path, *, now: datetime, notes: Notes) -> Iterator[Compacted]:
    """Put the closed files of each day that is over (UTC) together as one Parquet file, and yield the days.

    A file belongs to the day of its last decision. Files that cannot be read are left as they are, and
    ``notes`` names them; lines that are no records are left out, and counted there. A process that dies on
    the way leaves every record in one file at least, and readers count it once; the next run finishes.
    Raises LogError, MissingExtra.
    """
    check_folder(folder)
    pyarrow()
    today = now.astimezone(UTC).date()
    with upkeep(folder):
        _finish(folder)
        for day in sorted({_day(name) for name in list_log(folder) if not name.active}):
            if day < today and (done := _put_together(folder, day, notes)):
                yield done


def _day(name: LogName) -> date:
    return datetime.fromtimestamp(name.last or 0.0, UTC).date()


def _put_together(folder: Path, day: date, notes: Notes) -> Compacted | None:
    left_out: set[Path] = set()
    while True:
        # Listed anew each time: the service compresses meanwhile.
        names = [each for each in list_log(folder) if not each.active and _day(each) == day]
        names = [each for each in names if each.path not in left_out]
        if all(name.kind == "parquet" for name in names):
            return None
        try:
            return _write(names, day, notes)
        except _Unreadable as error:
            path, cause = error.path, error.__cause__
            if isinstance(cause, FileNotFoundError) and not path.is_symlink():
                continue
            left_out.add(path)
            reason = getattr(cause, "strerror", None) or str(cause)
            notes.faults.append(
                f"{path} could not be read, or not to its end: {reason}. It was left as it is."
            )


def _write(names: Sequence[LogName], day: date, notes: Notes) -> Compacted:
    target = _target(names)
    met, records, known = Notes(), 0, set()
    try:
        model = names[0].path.stat()
    except OSError as error:
        raise _Unreadable(names[0].path) from error
    with drafted(target, like=model) as stream, ColumnWriter(stream) as writer:
        for name in names:
            with ExitStack() as stack:
                for source, rows in _sources_in(name, met, stack):
                    # A file may still be there beside its compressed self.
                    if source in known:
                        continue
                    known.add(source)
                    for found in rows:
                        writer.write(found)
                        records += 1
                    writer.end_source(source)
    notes.torn += met.torn
    before = 0
    for name in names:
        if name.path != target:
            with suppress(FileNotFoundError):
                before += name.path.stat().st_size
                name.path.unlink()
    sync_folder(target.parent)
    return Compacted(day, len(names), records, before, target.stat().st_size)


def _target(names: Sequence[LogName]) -> Path:
    first = min(name.first for name in names if name.first is not None)
    last = max(name.last for name in names if name.last is not None)
    written = (datetime.fromtimestamp(each, UTC).strftime(SPAN_FORMAT) for each in (first, last))
    return names[0].path.with_name(f"{STEM}.{'-'.join(written)}.parquet")


def _sources_in(name: LogName, notes: Notes, stack: ExitStack) -> Iterator[tuple[str, Iterator[Found]]]:
    """Yield the files that a closed file is made of, itself or those put together in it, with their records.

    Raises _Unreadable, here and while they are read; an error of who writes them passes by.
    """
    path = name.path
    try:
        if name.kind == "parquet":
            file = ColumnFile(open_file(path, stack), path.name)
            parts = [(source.name, file.rows(source)) for source in file.sources]
        else:
            parts = [(source_of(path.name), _records(path, notes, stack))]
    except (*UNREADABLE, Damage) as error:
        raise _Unreadable(path) from error
    for source, rows in parts:
        yield source, _guarded(path, rows)


def _guarded(path: Path, rows: Iterator[Found]) -> Iterator[Found]:
    try:
        yield from rows
    except (*UNREADABLE, Damage) as error:
        raise _Unreadable(path) from error


def _records(path: Path, notes: Notes, stack: ExitStack) -> Iterator[Found]:
    for line in lines_of(open_lines(path, stack)):
        if found := parse(line):
            yield found
        else:
            notes.torn += bool(line.strip())


def _finish(folder: Path) -> None:
    """Delete what an earlier run had put together and was killed before it could delete."""
    together, alone = [], []
    for name in list_log(folder):
        if name.kind == "parquet":
            together.append((name.path, _sources(name.path)))
        elif not name.active:
            alone.append(name.path)
    for path in alone:
        if any(source_of(path.name) in sources for _, sources in together):
            path.unlink(missing_ok=True)
    for path, sources in together:
        if any(sources < more for _, more in together):
            path.unlink(missing_ok=True)


def _sources(path: Path) -> frozenset[str]:
    try:
        with ExitStack() as stack:
            file = ColumnFile(open_file(path, stack), path.name)
            return frozenset(source.name for source in file.sources)
    except (OSError, Damage):
        return frozenset()
