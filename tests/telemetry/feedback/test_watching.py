"""Quality beside the service: by one worker, in steps, through rotation, restarts and trouble."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from assay.config import Task
from assay.database import Database
from assay.telemetry import QualityWatch
from assay.telemetry.decisions.names import names_in
from assay.telemetry.feedback import logtotals, resolving, watching
from assay.telemetry.feedback.logtotals import LogTotals
from assay.telemetry.feedback.watching import STATE
from tests.conftest import make_task
from tests.telemetry.feedback.logs import NOW, SAID, record, rotate, say, write_active, write_closed

HAM = {"label": "ham", "confidence": 0.99}
FORMER = json.dumps({"format": 1, "cursor": "", "files": {"a": 7}})
SOON = SAID + 3_600
DAY = 86_400.0


class Told:
    """Keeps the figures that it is told."""

    def __init__(self) -> None:
        self.figures: dict[tuple[str, str], tuple[dict[str, tuple[float, float, float]], int]] = {}
        self.times = 0

    def quality(
        self, task: str, version: str, values: Mapping[str, tuple[float, float, float]], labels: int
    ) -> None:
        """Keep figures."""
        self.figures[task, version] = dict(values), labels
        self.times += 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a log."""
    return tmp_path / "logs"


@pytest.fixture
def database(people_sqlite: str) -> Database:
    """A people's database."""
    return Database(people_sqlite)


def tasks() -> list[Task]:
    """Return what is served."""
    return [make_task("spam", ["ham", "spam"]), make_task("abuse", ["fine", "abuse"])]


def watch_of(database: Database, folder: Path, told: Told, now: float = SOON) -> QualityWatch:
    """Return a watch."""
    return QualityWatch(database, folder, tasks=tasks, metrics=told, now=lambda: now)


def test_figures_are_told_by_version_and_kept_up_to_date(database: Database, folder: Path) -> None:
    told = Told()
    at = SAID - 100
    spam = [record(at + n) for n in range(4)]
    path = write_active(folder, [*spam, record(at, **HAM), record(at, version="2")])
    say(database, spam[:3])
    say(database, spam[3:], "ham")
    watch = watch_of(database, folder, told)
    assert watch.step(60)
    values, labels = told.figures["spam", "1"]
    assert (values["precision"], labels) == ((0.75, 0.75, 0.75), 4)
    assert values["expected_precision"][1] == pytest.approx(0.95)
    assert values["recall"][0] <= values["recall"][1] <= values["recall"][2]
    only, none = told.figures["spam", "2"]
    assert (none, "precision" in only, "expected_precision" in only) == (0, False, True)
    more = [record(at + 10 + n) for n in range(4)]
    write_active(folder, more)
    say(database, more)
    assert watch.step(60)
    assert told.figures["spam", "1"][0]["precision"] == (0.875, 0.875, 0.875)
    rotate(path, at, at + 20)
    write_active(folder, [record(at + 30)])
    assert watch.step(60)
    low, middle, high = told.figures["spam", "1"][0]["precision"]
    assert middle == pytest.approx(0.875)
    assert low < middle < high, "one of nine is not labelled"


def test_one_worker_does_it_and_another_takes_over(database: Database, folder: Path) -> None:
    write_active(folder, [record(SAID)])
    told = Told()
    one, other = (watch_of(database, folder, told) for _ in range(2))
    assert (one.step(60), other.step(60)) == (True, False)
    one.close()
    one.close()
    assert other.step(60)


def test_without_a_log_nothing_is_told(database: Database, folder: Path) -> None:
    told = Told()
    assert not watch_of(database, folder, told).step(60)
    assert told.times == 0


def test_a_step_ends_in_time_and_the_next_goes_on(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (resolving, logtotals):
        monkeypatch.setattr(module, "LINES", 2)
    monkeypatch.setattr(watching, "VOTES", 2)
    records = [record(SAID - 100 + n) for n in range(10)]
    write_active(folder, records)
    write_closed(folder, [record(SAID - 500 + n) for n in range(10)])
    say(database, records)
    told = Told()
    watch = watch_of(database, folder, told)
    steps = 1
    while not watch.step(0):
        steps += 1
        assert steps < 100
    assert steps > 10
    assert told.figures["spam", "1"][1] == 10


def test_a_restart_reads_no_closed_file_again_and_damage_to_what_is_kept_all_of_them(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_closed(folder, [record(SAID - 500 + n) for n in range(6)], packed=True)
    write_active(folder, [record(SAID)])
    read: list[Path] = []
    real = logtotals.lines_of

    def noting(path: Path, *, offset: int = 0) -> object:
        read.append(path)
        return real(path, offset=offset)

    monkeypatch.setattr(logtotals, "lines_of", noting)
    for expected in (2, 1):
        read.clear()
        watch = watch_of(database, folder, Told())
        assert watch.step(60)
        watch.close()
        assert len(read) == expected
    whole = (folder / STATE).read_text()
    for damage in (
        "",
        "{",
        "[]",
        '{"format": 99}',
        FORMER,
        '{"format":2,"cursor":""}\n["a",7]\n',
        whole[:-9],
    ):
        (folder / STATE).write_text(damage)
        read.clear()
        told = Told()
        watch = watch_of(database, folder, told)
        assert watch.step(60)
        watch.close()
        assert len(read) == 2


def test_a_database_that_is_gone_is_said_once_and_the_next_step_begins_anew(
    database: Database, folder: Path, people_sqlite: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = record(SAID)
    write_active(folder, [one])
    say(database, [one])
    path = Path(people_sqlite.removeprefix("sqlite:///"))
    data = path.read_bytes()
    path.write_bytes(b"no database at all, and long enough for a header" * 100)
    told = Told()
    watch = watch_of(database, folder, told)
    assert [watch.step(60), watch.step(60)] == [False, False]
    assert caplog.text.count("How good decisions are is not known now") == 1
    path.write_bytes(data)
    assert watch.step(60)
    assert told.figures["spam", "1"][1] == 1


def counted(totals: LogTotals) -> int:
    """Return how many decisions there are after a round."""
    for _ in totals.round():
        pass
    return round(sum(cell.logged for cell in totals.totals().cells.values()))


def test_the_window_moves_and_files_that_are_gone_stay_counted_in_it(folder: Path) -> None:
    old = write_closed(folder, [record(NOW - 2 * DAY)])
    write_closed(folder, [record(NOW), record(NOW + 1)])
    clock = [NOW + 10]
    totals = LogTotals(folder, folder / STATE, window=3 * DAY, now=lambda: clock[0])
    assert counted(totals) == 3
    old.unlink()
    assert counted(totals) == 3
    clock[0] = NOW + 2 * DAY
    assert counted(totals) == 2
    clock[0] = NOW + 9 * DAY
    assert counted(totals) == 0


def test_a_day_put_together_before_it_was_counted_ends_the_window(folder: Path) -> None:
    first, second = [record(NOW), record(NOW + 60)], [record(NOW + 3_600)]
    closed = write_closed(folder, first)
    seen, blind = (
        LogTotals(folder, folder / name, window=7 * DAY, now=lambda: NOW + 4_000) for name in ("a", "b")
    )
    assert counted(seen) == 2
    name = closed.name.replace("-1.", ".").replace(".jsonl", ".parquet")
    closed.rename(closed.with_name(name)).write_bytes(b"PAR1")
    write_closed(folder, second)
    assert (counted(seen), counted(blind)) == (3, 1)
    assert blind.totals().first == NOW + 3_600


def test_a_line_under_way_is_counted_once_it_is_whole(folder: Path) -> None:
    line = record(NOW).line()
    path = write_active(folder, [record(NOW)], tail=line[:30])
    totals = LogTotals(folder, folder / STATE, now=lambda: NOW + 10)
    assert counted(totals) == 1
    with path.open("ab") as file:
        file.write(line[30:])
    assert counted(totals) == 2
    # Another file in its place, as after a restart of the worker.
    path.unlink()
    write_active(folder, [record(NOW)])
    assert counted(totals) == 1
    path.unlink()
    assert counted(totals) == 0


def test_files_that_go_between_the_list_and_the_reading_are_not_counted_as_empty(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record(NOW + n) for n in range(3)]
    closed, active = write_closed(folder, records), write_active(folder, [record(NOW)])
    totals = LogTotals(folder, folder / STATE, now=lambda: NOW + 10)
    listed = list(names_in(folder))
    closed.unlink()
    active.unlink()
    monkeypatch.setattr(logtotals, "names_in", lambda _: iter(listed))
    assert counted(totals) == 0
    monkeypatch.undo()
    write_closed(folder, records)
    assert counted(totals) == 3
