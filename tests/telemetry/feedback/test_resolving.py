"""Feedback finds its decision in a log that is torn, rotated, compressed and compacted meanwhile."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.database import Database
from assay.telemetry import Notes, compact, resolve
from assay.telemetry.decisions.names import LogName
from assay.telemetry.decisions.record import Record
from assay.telemetry.feedback import resolving
from assay.telemetry.feedback.resolving import Resolver
from assay.telemetry.feedback.store import stamp
from tests.telemetry.feedback.logs import (
    NOW,
    SAID,
    id_at,
    judged,
    record,
    rotate,
    say,
    write_active,
    write_closed,
)

LATER = NOW + 40 * 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a log."""
    return tmp_path / "logs"


@pytest.fixture
def database(people_sqlite: str) -> Database:
    """A people's database."""
    return Database(people_sqlite)


def round_of(database: Database, folder: Path, now: float = LATER, cursor: str = "") -> Resolver:
    """Return a resolver after one round."""
    resolver = Resolver(database, folder, cursor=cursor, now=lambda: now)
    for _ in resolver.round():
        pass
    return resolver


def by_service(database: Database, folder: Path) -> int:
    """Resolve as the service does."""
    return round_of(database, folder).matched


BOTH = pytest.mark.parametrize("how", [resolve, by_service])
How = Callable[[Database, Path], int]


@BOTH
def test_what_is_found_is_written_down_with_what_was_decided(people_uri: str, folder: Path, how: How) -> None:
    database = Database(people_uri)
    one = record(key="app", review=True, decided_by="rule", confidence=0.9, rule="prize", version="7")
    write_active(folder, [record(), one, record()])
    say(database, [one])
    assert how(database, folder) == 1
    with database.reading() as connection:
        found = connection.execute("SELECT * FROM judged").fetchall()
    at = stamp(one.at)
    assert [tuple(row) for row in found] == [(one.id, "spam", "7", "spam", 0.9, "rule", 1, "app", at)]
    assert how(database, folder) == 0


@BOTH
def test_ids_that_are_nowhere_or_of_no_time_are_left(database: Database, folder: Path, how: How) -> None:
    write_active(folder, [record()])
    say(database, [id_at(NOW), id_at(NOW * 9), "8a5b0c9d2f3e4a618a5b0c9d2f3e4a61"])
    assert how(database, folder) == 0
    assert judged(database) == set()


@BOTH
def test_torn_and_foreign_lines_are_passed_over(database: Database, folder: Path, how: How) -> None:
    first, second, third = (record() for _ in range(3))
    torn = second.line()[:-20]
    noise = b'\xff\xfe{\n{"id":"%s"}\n[1]\n\n' % third.id.encode()
    write_active(folder, [first], tail=torn + b"\n" + noise)
    write_active(folder, [third], tail=second.line()[:40])
    say(database, [first, second, third])
    assert how(database, folder) == 2
    assert judged(database) == {first.id, third.id}


@BOTH
def test_closed_and_compressed_files_are_searched(database: Database, folder: Path, how: How) -> None:
    closed = [record(NOW + at) for at in range(5)]
    packed = [record(NOW - 9_000 + at) for at in range(5)]
    write_closed(folder, closed)
    write_closed(folder, packed, packed=True)
    say(database, [closed[0], packed[0], packed[4]])
    assert how(database, folder) == 3


@BOTH
def test_of_a_damaged_archive_the_rest_is_found_when_it_is_whole_again(
    database: Database, folder: Path, how: How
) -> None:
    records = [record(NOW + at) for at in range(5)]
    path = write_closed(folder, records, packed=True)
    data = path.read_bytes()
    path.write_bytes(data[:-30])
    say(database, records)
    assert how(database, folder) < 5
    path.write_bytes(data)
    how(database, folder)
    assert judged(database) == {each.id for each in records}


def test_only_files_that_may_hold_an_id_are_read(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = record(NOW), record(NOW + 5 * 86_400)
    write_closed(folder, [near])
    write_closed(folder, [far])
    read: list[Path] = []
    real = resolving.wanted_lines

    def noting(name: LogName, wanted: dict[bytes, float]) -> Iterator[Record | None]:
        read.append(name.path)
        yield from real(name, wanted)

    monkeypatch.setattr(resolving, "wanted_lines", noting)
    say(database, [near])
    round_of(database, folder)
    assert len(read) == 1
    assert judged(database) == {near.id}


def test_a_file_that_is_rotated_and_compressed_while_it_is_read_is_found(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record(NOW + at) for at in range(3)]
    path = write_active(folder, records)
    say(database, records)
    real, moved = resolving.wanted_lines, []

    def moving(name: LogName, wanted: dict[bytes, float]) -> Iterator[Record | None]:
        if not moved:
            moved.append(rotate(path, NOW, NOW + 2))
            write_active(folder, [])
        elif len(moved) == 1:
            # Listed as lines, compressed before it is opened.
            moved.append(write_closed(folder, records, packed=True))
            moved[0].unlink()
        yield from real(name, wanted)

    monkeypatch.setattr(resolving, "wanted_lines", moving)
    round_of(database, folder)
    assert len(moved) == 2
    assert judged(database) == {each.id for each in records}


def test_a_day_that_was_compacted_is_found_by_the_command_and_passed_over_by_the_service(
    database: Database, folder: Path
) -> None:
    pytest.importorskip("pyarrow")
    one = record(NOW)
    write_closed(folder, [one], packed=True)
    list(compact(folder, now=datetime.fromtimestamp(LATER, UTC), notes=Notes()))
    assert [path.suffix for path in folder.glob("predictions*")] == [".parquet"]
    say(database, [one])
    assert by_service(database, folder) == 0
    assert resolve(database, folder) == 1


def test_a_round_is_not_repeated_and_a_new_one_begins_where_it_ended(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_active(folder, [record()])
    say(database, [id_at(NOW) for _ in range(5)])
    first = round_of(database, folder)
    assert first.cursor > ""
    looked: list[int] = []
    monkeypatch.setattr(resolving, "wanted_lines", lambda _, wanted: looked.append(len(wanted)) or iter(()))
    round_of(database, folder, cursor=first.cursor)
    # The last one may have come together with others that are not committed yet.
    assert sum(looked) <= 1
    late = record()
    write_active(folder, [late])
    say(database, [late])
    monkeypatch.undo()
    assert round_of(database, folder, cursor=first.cursor).matched == 1


def test_a_decision_on_its_way_into_the_log_is_looked_for_again(database: Database, folder: Path) -> None:
    one = record(SAID)
    write_active(folder, [])
    say(database, [id_at(NOW), one, id_at(NOW)])
    before = round_of(database, folder, now=SAID + 300)
    assert before.matched == 0
    write_active(folder, [one])
    assert round_of(database, folder, now=SAID + 360, cursor=before.cursor).matched == 1


def test_made_up_ids_of_the_future_hold_up_nothing(database: Database, folder: Path) -> None:
    write_active(folder, [])
    say(database, [id_at(SAID + 10**6)])
    assert round_of(database, folder, now=SAID + 3_600).cursor > stamp(SAID)


def test_a_round_that_is_left_keeps_what_it_found_and_is_begun_anew(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "WRITTEN", 2)
    records = [record(NOW + at) for at in range(10)]
    write_active(folder, records)
    say(database, records)
    left = Resolver(database, folder, now=lambda: LATER).round()
    for _ in range(2):
        next(left)
    left.close()
    assert len(judged(database)) == 4
    assert round_of(database, folder).matched == 6
    assert judged(database) == {each.id for each in records}


@BOTH
def test_more_than_a_batch_is_found_in_several(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, how: How
) -> None:
    monkeypatch.setattr(resolving, "BATCH", 7)
    records = [record(NOW + at) for at in range(40)]
    write_active(folder, records)
    made_up = [id_at(NOW) for _ in range(20)]
    mixed: list[str | Record] = [*records, *made_up]
    random.Random(1).shuffle(mixed)
    say(database, mixed)
    assert how(database, folder) == 40


@BOTH
def test_more_than_a_transaction_is_written_in_several(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch, how: How
) -> None:
    monkeypatch.setattr(resolving, "WRITTEN", 3)
    records = [record(NOW + at) for at in range(10)]
    write_active(folder, [*records, record(NOW)])
    say(database, records)
    assert how(database, folder) == 10
    assert judged(database) == {each.id for each in records}


def test_without_a_log_the_service_waits_for_one(database: Database, folder: Path) -> None:
    say(database, [record()])
    assert round_of(database, folder).matched == 0
