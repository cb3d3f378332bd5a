"""A backup is whole or none, holds what is named and nothing secret, and costs only what is new."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from assay.backup import Manifest, Wanted, check_backup, make_backup, open_store, read_backup, sqlite, taking
from assay.backup.keeping import Keeper
from assay.backup.manifest import backups_in
from assay.cli import main
from assay.exceptions import BackupError
from assay.settings import Settings
from tests.backup.conftest import QUIET, bring_back, keep
from tests.conftest import contents
from tests.moving import Mover, damage

Find = Callable[[Manifest, str], Path]


def test_what_is_kept_is_said_and_proven(settings: Settings, to: Path) -> None:
    made = keep(settings, to)
    lines = "\n".join(made.lines())
    assert f"Backup {made.manifest.name} is in {to}" in lines
    assert {each.what for each in made.manifest.files} == {
        "registry",
        "people",
        "artifacts",
        "log",
        "settings",
    }
    assert sorted((each.model, each.number, each.aliases) for each in made.manifest.versions) == [
        ("SentimentClassifier", "1", ("production",)),
        ("SpamClassifier", "1", ("production",)),
        ("SpamClassifier", "2", ()),
    ]
    assert [line for line in check_backup(str(to)) if "decides as it did" in line] == [
        "SentimentClassifier version 1 decides as it did",
        "SpamClassifier version 1 decides as it did",
    ]


def test_nothing_is_copied_twice(settings: Settings, to: Path) -> None:
    first, second = keep(settings, to), keep(settings, to)
    assert first.copied > 0
    assert second.copied == 0
    assert second.manifest.name > first.manifest.name
    assert second.manifest.size == first.manifest.size


def test_old_backups_go_with_what_only_they_need(settings: Settings, to: Path, spam_artifact: Path) -> None:
    first = keep(settings, to).manifest
    Mover(settings).promote("2")
    kept = keep(settings, to, keep=1)
    assert kept.removed == (first.name,)
    assert backups_in(open_store(str(to))) == [kept.manifest.name]
    needed = {each.sha256 for each in kept.manifest.files}
    assert {path.name for path in (to / "objects").rglob("*") if path.is_file()} == needed
    assert first.file("registry").sha256 not in needed
    assert list(check_backup(str(to)))


def test_a_manifest_that_cannot_be_read_keeps_all_old_ones(settings: Settings, to: Path) -> None:
    first, second = keep(settings, to).manifest, keep(settings, to).manifest
    (to / "backups" / second.name / "manifest.json").write_text("{}")
    with pytest.raises(BackupError, match="was made, but older ones were not deleted"):
        keep(settings, to, keep=2)
    assert first.name in backups_in(open_store(str(to)))


def test_two_backups_at_once_are_refused(settings: Settings, to: Path) -> None:
    with open_store(str(to)).locked(), pytest.raises(BackupError, match="Another backup is being made"):
        keep(settings, to)
    assert keep(settings, to).copied


def test_drafts_of_a_backup_that_was_killed_go(settings: Settings, to: Path) -> None:
    to.mkdir()
    (to / ".draft-left").write_text("half")
    keep(settings, to)
    assert not (to / ".draft-left").exists()


def test_secrets_are_not_kept(settings: Settings, to: Path, tmp_path: Path, object_of: Find) -> None:
    secret = Settings(
        home=settings.home, redis="redis://:hunter2@cache:6379/0", port=9000, decision_key="hunter2"
    )
    made = keep(secret, to).manifest
    text = object_of(made, "settings.toml").read_text()
    assert "port = 9000" in text
    assert "redis://***@cache:6379/0" in text
    assert [path for path, data in contents(to).items() if b"hunter2" in data] == []
    assert [each.path for each in made.files if each.path.endswith("decision.key")] == []
    with_key = keep(settings, to, key=True).manifest
    assert with_key.key
    assert object_of(with_key, "decision.key").stat().st_mode & 0o777 == 0o600


def test_a_log_is_kept_up_to_its_last_whole_line(settings: Settings, to: Path, object_of: Find) -> None:
    path = settings.decisions / "predictions.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at":"half')
    requests = settings.home / "requests.jsonl"
    requests.write_bytes(b'{"a":1}\n{"b"')
    made = keep(Settings(home=settings.home, request_log=str(requests)), to).manifest
    assert object_of(made, "predictions.jsonl").read_bytes() == whole
    assert object_of(made, "requests.jsonl").read_bytes() == b'{"a":1}\n'


def test_parts_are_left_out_where_that_is_said(settings: Settings, to: Path) -> None:
    made = keep(settings, to, without=("artifacts", "log", "people", "settings"))
    assert [each.path for each in made.manifest.files] == ["registry"]
    assert "left out" in "\n".join(made.lines())
    assert {each.folder for each in made.manifest.versions} == {""}
    assert list(check_backup(str(to)))
    only = keep(settings, to, without=("registry", "artifacts")).manifest
    assert only.registry is None
    assert list(check_backup(str(to)))


def test_a_home_without_a_registry_is_refused_unless_that_is_said(tmp_path: Path, to: Path) -> None:
    with pytest.raises(BackupError, match=r"There is no registry at .*nothing/mlflow\.db"):
        keep(Settings(home=tmp_path / "nothing"), to)
    assert backups_in(open_store(str(to))) == []
    made = keep(Settings(home=tmp_path / "nothing"), to, without=("registry", "artifacts"))
    assert [each.path for each in made.manifest.files] == ["settings.toml"]
    assert not (tmp_path / "nothing").exists()
    assert "none" in "\n".join(made.lines())


def test_a_version_that_is_damaged_is_kept_and_told_by_name(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = keep(settings, to).manifest
    damage(Mover(settings).weights("1"))
    manifest = Mover(settings).weights("2").with_name("manifest.json")
    manifest.unlink()
    monkeypatch.setenv("ASSAY_HOME", str(settings.home))
    assert main(["backup", "--to", str(to), "--keep", "1"]) == 1
    told = capsys.readouterr().out
    assert (
        "DAMAGED BEFORE: SpamClassifier version 1: missing, or not what was registered: model.safet" in told
    )
    assert "SpamClassifier version 2: missing, or not what was registered: manifest.json" in told
    assert first.name in backups_in(open_store(str(to)))
    assert list(check_backup(str(to)))


def test_a_damaged_database_is_not_taken_for_a_backup(settings: Settings, to: Path) -> None:
    path = settings.home / "assay.db"
    data = bytearray(path.read_bytes())
    data[4096 : 4096 + 200] = os.urandom(200)
    path.write_bytes(data)
    with pytest.raises(Exception, match=r"damaged|malformed|cannot be used"):
        keep(settings, to)
    assert backups_in(open_store(str(to))) == []


def test_a_database_that_somebody_holds_is_waited_for_and_named(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "WAIT_SECONDS", 0.2)
    with closing(sqlite3.connect(settings.home / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BackupError, match="locked by another process"):
            keep(settings, to)


def test_a_seat_that_changes_between_the_two_databases_is_taken_anew(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers, take = iter("21"), taking._take_people

    def meanwhile(*values: Any) -> None:
        if number := next(numbers, None):
            Mover(settings).promote(number)
        take(*values)

    monkeypatch.setattr(taking, "_take_people", meanwhile)
    made = keep(settings, to).manifest
    assert made.faults == ()
    assert [each.number for each in made.versions if "previous" in each.aliases] == ["2"]


def test_a_registry_that_never_rests_is_given_up(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = iter(range(100))
    monkeypatch.setattr(taking, "_head", lambda *_: str(next(heads)))
    with pytest.raises(BackupError, match="changed 5 times"):
        keep(settings, to)


def test_a_server_is_backed_up_where_it_runs(tmp_path: Path, to: Path) -> None:
    served = Settings(home=tmp_path, tracking_uri="http://mlflow:5000")
    with pytest.raises(BackupError, match="--without registry"):
        keep(served, to)
    assert keep(served, to, without=("registry", "artifacts")).manifest.registry is None


def test_artifacts_of_a_server_are_found_in_its_folder(
    settings: Settings, to: Path, fresh: Settings, tmp_path: Path
) -> None:
    served = tmp_path / "mlartifacts"
    (settings.home / "artifacts").rename(served)
    with closing(sqlite3.connect(settings.home / "mlflow.db", isolation_level=None)) as database:
        for table, column in (("runs", "artifact_uri"), ("model_versions", "source")):
            old = (settings.home / "artifacts").as_uri()
            change = f"UPDATE {table} SET {column} = replace({column}, ?, 'mlflow-artifacts:')"
            database.execute(change, (old,))
        database.execute("UPDATE model_versions SET storage_location = source")
    with pytest.raises(BackupError, match="--artifacts FOLDER"):
        keep(settings, to)
    made = keep(settings, to, served=served).manifest
    assert made.faults == ()
    with pytest.raises(BackupError, match="Name the folder that the server"):
        bring_back(fresh, to)
    brought = bring_back(fresh, to, served=tmp_path / "there")
    assert "in place: SpamClassifier version 1 decides as it did" in brought.found


def test_a_full_disk_is_said_and_leaves_no_backup(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = keep(settings, to).manifest
    before = contents(to)
    Mover(settings).promote("2")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(BackupError, match=r"No space left on device.*Make room"):
            keep(settings, to)
    assert contents(to) == before
    assert read_backup(open_store(str(to))).name == first.name


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database" * 100)
    with pytest.raises(BackupError, match=r"x\.db cannot be backed up"):
        sqlite.snapshot(tmp_path / "x.db", tmp_path / "copy")
    with pytest.raises(BackupError, match="The database people is damaged: file is not a database"):
        sqlite.check(tmp_path / "x.db", named="people")


def test_pages_that_are_damaged_are_found(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (a TEXT)")
        database.execute("CREATE INDEX i ON t (a)")
        database.executemany("INSERT INTO t VALUES (?)", [(f"{number:0200}",) for number in range(500)])
        database.commit()
    data = path.read_bytes()
    path.write_bytes(data.replace(b"0123", b"9999"))
    with pytest.raises(BackupError, match="is damaged"):
        sqlite.snapshot(path, tmp_path / "copy")


def test_a_file_that_goes_while_it_is_kept_is_missed_by_its_version(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_it = Keeper.keep

    def gone(self: Keeper, path: str, what: Any, source: Path, size: int | None = None) -> Any:
        if source == Mover(settings).weights("2"):
            source.unlink()
        return keep_it(self, path, what, source, size)

    monkeypatch.setattr(Keeper, "keep", gone)
    [fault] = keep(settings, to).manifest.faults
    assert fault.startswith(
        "SpamClassifier version 2: missing, or not what was registered: model.safetensors"
    )


def test_what_cannot_be_read_is_named(to: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="cannot be kept: Is a directory"):
        Keeper(open_store(str(to)), lambda: None).keep("x", "log", tmp_path)


@pytest.mark.parametrize("place", ["ftp://x/y", "https://bucket"])
def test_a_place_of_another_kind_is_refused(settings: Settings, place: str) -> None:
    with pytest.raises(BackupError, match="no place that backups are kept in"):
        make_backup(settings, place, Wanted(), QUIET)


def test_a_file_that_changes_each_time_is_given_up(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = settings.home / "grows", Keeper._read
    path.write_text("a")

    def growing(self: Keeper, source: Path, *values: Any) -> Any:
        path.write_text(path.read_text() + "a")
        return read(self, source, *values)

    monkeypatch.setattr(Keeper, "_read", growing)
    keeper = Keeper(open_store(str(to)), lambda: None)
    with pytest.raises(BackupError, match="changed each time"):
        keeper.keep("grows", "log", path)
