"""A subject erased from every kind of file, and nothing else with it."""

import gzip
import stat
from pathlib import Path

import pytest

from assay.database import Database
from assay.exceptions import DatabaseError
from assay.telemetry import Erased, Feedback, Notes, compact, erase, forget_decisions, read_records
from assay.telemetry.decisions import erasing
from tests.telemetry.decisions.test_compacting import LATER
from tests.telemetry.decisions.written import lines, numbers, record, write_active, write_closed

ANN, BOB = "a" * 32, "b" * 32


def mixed(first: int) -> list:
    """Return three decisions, the second about Ann."""
    subjects = (BOB, ANN, None)
    return [record(first + at, subject=subject) for at, subject in enumerate(subjects)]


def erase_ann(folder: Path) -> Erased:
    """Erase Ann and return what was."""
    erased = Erased()
    erase(folder, ANN, forget=len, erased=erased, grace=0.01, wait=0.01)
    return erased


def test_a_subject_goes_from_every_kind_of_file(tmp_path: Path) -> None:
    write_closed(tmp_path, mixed(0))
    list(compact(tmp_path, now=LATER, notes=Notes()))
    write_closed(tmp_path, mixed(10), packed=True)
    write_closed(tmp_path, mixed(20))
    write_active(tmp_path, mixed(30))
    other = write_active(tmp_path, [record(40)], slot=2)
    erased = erase_ann(tmp_path)
    assert erased.ids == {record(number).id for number in (1, 11, 21, 31)}
    assert (len(erased.files), erased.said, erased.torn, erased.faults) == (4, 4, 0, [])
    assert numbers(read_records(tmp_path)) == [0, 2, 10, 12, 20, 22, 30, 32, 40]
    assert other.exists()
    assert not (tmp_path / "predictions.jsonl").exists()
    assert not [path for path in tmp_path.iterdir() if path.is_file() and ANN.encode() in path.read_bytes()]
    again = erase_ann(tmp_path)
    assert (again.ids, again.files, again.faults) == (set(), set(), [])


def test_files_that_do_not_hold_it_stay_as_they_are(tmp_path: Path) -> None:
    path = write_closed(tmp_path, [record(0, subject=BOB)], packed=True)
    before = path.stat()
    erase_ann(tmp_path)
    assert path.stat() == before


def test_an_emptied_file_is_deleted(tmp_path: Path) -> None:
    ann = [record(0, subject=ANN)]
    for path in (write_closed(tmp_path, ann), write_closed(tmp_path, ann, packed=True)):
        assert path.exists()
    assert erase_ann(tmp_path).ids == {record(0).id}
    assert not list(tmp_path.glob("predictions*"))
    write_closed(tmp_path, ann)
    list(compact(tmp_path, now=LATER, notes=Notes()))
    assert erase_ann(tmp_path).ids == {record(0).id}
    assert not list(tmp_path.glob("predictions*"))


def test_lines_that_were_cut_off_go_too_and_whole_ones_stay(tmp_path: Path) -> None:
    torn = record(5, text="of whom").line()[:60]
    newer = record(6).line().replace(b'"task"', b'"mood":"blue","task"')
    path = write_closed(tmp_path, [record(0)], tail=torn + b"\n" + newer + record(7).line().rstrip(b"\n"))
    erased = erase_ann(tmp_path)
    assert (erased.torn, erased.ids) == (1, set())
    assert path.read_bytes() == lines([record(0)]) + newer + record(7).line()


def test_a_hash_in_another_field_is_no_subject(tmp_path: Path) -> None:
    write_closed(tmp_path, [record(0, text_hash=ANN)])
    write_active(tmp_path, [record(1, text_hash=ANN)])
    assert erase_ann(tmp_path).ids == set()
    assert numbers(read_records(tmp_path)) == [0, 1]


def test_a_line_under_way_is_left_for_the_next_look(tmp_path: Path) -> None:
    half = record(1, subject=ANN).line()
    active = write_active(tmp_path, [record(0)], tail=half[:80])
    assert erase_ann(tmp_path).ids == set()
    active.write_bytes(lines([record(0)]) + half)
    assert erase_ann(tmp_path).ids == {record(1).id}


def test_another_program_s_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text("what is this\n")
    erase_ann(tmp_path)
    assert path.read_text() == "what is this\n"


def test_rights_stay_and_a_closed_name_that_is_taken_is_not_used_again(tmp_path: Path) -> None:
    path = write_closed(tmp_path, mixed(0), packed=True)
    path.chmod(0o640)
    erase_ann(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert gzip.decompress(path.read_bytes()) == lines([each for each in mixed(0) if each.subject != ANN])


@pytest.mark.parametrize("slots", [1, 2])
def test_a_name_that_is_taken_is_counted_up(
    tmp_path: Path, slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.telemetry.decisions import setting_aside

    monkeypatch.setattr(setting_aside.time, "time", lambda: 0.0)
    paths = []
    for _ in range(slots + 1):
        write_active(tmp_path, [*mixed(0), record(3 + len(paths))][:3])
        erase_ann(tmp_path)
        paths.append(len(list(tmp_path.glob("predictions-1*"))))
    assert paths == list(range(1, slots + 2))


def test_what_cannot_be_searched_is_named(tmp_path: Path) -> None:
    bad = write_closed(tmp_path, mixed(0), packed=True)
    bad.write_bytes(bad.read_bytes()[:-12])
    (tmp_path / "predictions-3.jsonl").mkdir()
    (tmp_path / "predictions-4.jsonl").symlink_to("nowhere")
    broken = tmp_path / bad.name.replace(".jsonl.gz", ".parquet").replace("predictions-1", "predictions")
    broken.write_bytes(b"PAR1")
    write_closed(tmp_path, mixed(10))
    erased = erase_ann(tmp_path)
    assert len(erased.faults) == 3
    assert all("It may hold the subject" in fault for fault in erased.faults)
    assert record(11).id in erased.ids


def test_decisions_that_keep_coming_are_told(tmp_path: Path) -> None:
    erased = Erased()

    def forget(ids):
        # As if the subject asked again each time.
        write_active(tmp_path, [record(50, subject=ANN)])
        return 0

    erase(tmp_path, ANN, forget=forget, erased=erased, grace=0.0, wait=0.0)
    assert "still being made" in erased.faults[0]


def test_what_people_said_goes_first_and_a_database_that_is_down_stops_all(tmp_path: Path) -> None:
    path = write_closed(tmp_path, mixed(0))
    before = path.read_bytes()

    def down(ids):
        raise DatabaseError("down")

    with pytest.raises(DatabaseError):
        erase(tmp_path, ANN, forget=down, erased=Erased())
    assert path.read_bytes() == before


def test_many_decisions_are_forgotten_part_by_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "CHUNK", 2)
    write_closed(tmp_path, [record(number, subject=ANN) for number in range(5)])
    asked = []
    erase(tmp_path, ANN, forget=lambda ids: asked.append(len(ids)) or 0, erased=Erased(), wait=0.0)
    assert asked == [0, 2, 2, 1]


def test_feedback_on_decisions_is_deleted(people_uri: str) -> None:
    database = Database(people_uri)
    feedback = Feedback(database)
    for number in range(3):
        feedback.keep(record(number).id, "spam", key="ann", task="spam")
    with database.writing() as connection:
        row = (record(1).id, "spam", "1", "ham", 0.5, "model", 0, "ann", "2026-11-17")
        connection.execute(f"INSERT INTO judged VALUES ({', '.join(['%s'] * 9)})", row)
    assert forget_decisions(database, []) == 0
    assert forget_decisions(database, [record(0).id, record(1).id]) == 3
    assert forget_decisions(database, [record(0).id, record(1).id]) == 0
    with database.reading() as connection:
        assert connection.execute("SELECT decision FROM feedback").fetchall() == [(record(2).id,)]
        assert connection.execute("SELECT decision FROM judged").fetchall() == []
