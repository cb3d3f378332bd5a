"""A restore proves what it brings, deletes nothing, and can be killed anywhere and run again."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.audit import AuditLog
from assay.backup import Manifest, check_backup, open_store, read_backup
from assay.backup.manifest import Kept, manifest_name
from assay.backup.placing import PLAN
from assay.cli import main
from assay.database import Database
from assay.estimators import load_artifact
from assay.exceptions import BackupError
from assay.settings import Settings
from tests.backup.conftest import bring_back, decided, keep
from tests.contracts.sources import ROOT
from tests.moving import TEXTS, Mover, damage
from tests.running import unmeasured

Find = Callable[[Manifest, str], Path]


def test_another_path_answers_the_same(settings: Settings, to: Path, fresh: Settings) -> None:
    before, log = decided(settings), AuditLog(Database(settings.people)).verify()
    keep(settings, to)
    settings.home.rename(settings.home.with_name("gone"))
    brought = bring_back(fresh, to)
    assert decided(fresh) == before
    assert AuditLog(Database(fresh.people)).verify() == log
    assert any("decision.key back" in line for line in brought.lines())
    assert (fresh.decisions / "predictions.jsonl").read_bytes().count(b"\n") == len(TEXTS)
    registry = Mover(fresh).registry
    assert registry.verify().faults == ()
    assert registry.settle("SpamClassifier", who="bob") == []
    assert {str(fresh.home) in each.source for each in registry.versions("SpamClassifier")} == {True}
    Mover(fresh).promote("2")


def test_files_outside_the_home_come_into_it(
    stocked: Path, settings: Settings, to: Path, fresh: Settings
) -> None:
    (settings.home / "mlflow.db").write_bytes((stocked / "mlflow.db").read_bytes())
    made = keep(settings, to).manifest
    assert made.elsewhere
    bring_back(fresh, to)
    version = Mover(fresh).registry.version("SpamClassifier", "production")
    assert version.source.startswith((fresh.home / "artifacts").as_uri())
    folder = Path(version.source.removeprefix("file://"))
    assert [each.score for each in load_artifact(folder).decide(TEXTS)] == [
        score for _, _, score, _ in decided(fresh)
    ]


def test_databases_and_logs_of_other_folders_go_where_the_settings_say(
    settings: Settings, to: Path, tmp_path: Path
) -> None:
    keep(settings, to)
    there = tmp_path / "there"
    other = Settings(
        home=there / "home",
        tracking_uri=f"sqlite:///{there / 'db' / 'registry.db'}",
        database=f"sqlite:///{there / 'db' / 'people.db'}",
        decision_folder=there / "log",
    )
    bring_back(other, to)
    assert decided(other) == decided(settings)
    assert sorted(
        path.name for path in there.rglob("*") if path.is_file() and "artifacts" not in path.parts
    ) == [
        "people.db",
        "predictions.jsonl",
        "registry.db",
        "settings.toml",
    ]
    with pytest.raises(BackupError, match=r"already where the backup belongs.*home"):
        bring_back(other, to)
    (there / "home").rename(there / "home-before")
    (there / "db" / "people.db-journal").write_bytes(b"of the database before")
    with pytest.raises(BackupError, match=r"people\.db-journal"):
        bring_back(other, to)
    bring_back(other, to, replace=True)
    aside = [path.name for path in (there / "db").rglob("before-restore-*/*")]
    assert sorted(aside) == ["people.db", "people.db-journal", "registry.db"]
    assert decided(other) == decided(settings)


def test_what_is_there_is_moved_aside_and_kept(settings: Settings, to: Path) -> None:
    keep(settings, to)
    before = (settings.home / "mlflow.db").read_bytes()
    Mover(settings).promote("2")
    with pytest.raises(BackupError, match="--replace"):
        bring_back(settings, to)
    brought = bring_back(settings, to, replace=True)
    assert brought.aside is not None
    assert f"in {brought.aside}; nothing was deleted" in "\n".join(brought.lines())
    assert (brought.aside / "mlflow.db").read_bytes() != before
    assert Mover(settings).registry.version("SpamClassifier", "production").number == "1"
    assert bring_back(settings, to, replace=True).aside != brought.aside
    assert brought.aside.is_dir()


def test_a_damaged_object_is_named_and_nothing_is_put_in_place(
    settings: Settings, to: Path, fresh: Settings, object_of: Find
) -> None:
    made = keep(settings, to).manifest
    path = object_of(made, "operating_point.json")
    damage(path)
    for restore in (lambda: bring_back(fresh, to), lambda: list(check_backup(str(to)))):
        with pytest.raises(BackupError, match=f"{path.name}, which holds .*operating_point.json, is damaged"):
            restore()
    assert not (fresh.home / "mlflow.db").exists()
    path.unlink()
    with pytest.raises(BackupError, match=f"{path} is missing"):
        bring_back(fresh, to)
    keep(settings, to)
    assert "in place: SpamClassifier version 1 decides as it did" in bring_back(fresh, to).found


def test_what_is_older_can_be_named_by_its_beginning(settings: Settings, to: Path, fresh: Settings) -> None:
    first = keep(settings, to).manifest
    Mover(settings).promote("2")
    keep(settings, to)
    assert bring_back(fresh, to, backup=first.name).manifest == first
    assert read_backup(open_store(str(to)), first.name[:8]).name > first.name
    with pytest.raises(BackupError, match=f"has no backup '1999'; it has {first.name}"):
        read_backup(open_store(str(to)), "1999")
    with pytest.raises(BackupError, match="no backup that is whole; it has none at all"):
        read_backup(open_store(str(to.parent / "nothing")))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda held: {**held, "backup": {**held["backup"], "format": 2}}, "has format 2.*Update Assay"),
        (lambda held: {**held, "backup": {**held["backup"], "versions": []}}, "its SHA-256 is not the one"),
        (lambda held: {"backup": 1}, "it is not JSON as Assay writes it"),
    ],
)
def test_a_manifest_that_is_damaged_or_newer_is_refused(
    settings: Settings, to: Path, change: Callable[[Any], Any], told: str
) -> None:
    made = keep(settings, to).manifest
    path = to / manifest_name(made.name)
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(BackupError, match=told):
        read_backup(open_store(str(to)))


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "home/../../x", ""])
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="leads out of the backup"):
        Kept(path=path, what="log", size=0, sha256="0" * 64)


def test_a_registry_of_another_kind_is_refused(settings: Settings, to: Path, fresh: Settings) -> None:
    keep(settings, to)
    other = Settings(home=fresh.home, tracking_uri="http://mlflow:5000")
    with pytest.raises(BackupError, match=r"as an SQLite file .* names an MLflow server here"):
        bring_back(other, to)


def test_other_versions_or_another_log_than_promised_are_seen(
    settings: Settings, to: Path, fresh: Settings
) -> None:
    made = keep(settings, to).manifest
    versions = made.model_copy(update={"versions": made.versions[:-1]})
    assert made.audit is not None
    audit = made.model_copy(update={"audit": made.audit.model_copy(update={"entries": 99})})
    for other, told in ((versions, "other versions or aliases"), (audit, "not 99")):
        (to / manifest_name(made.name)).write_bytes(other.written())
        with pytest.raises(BackupError, match=told):
            bring_back(fresh, to)
        assert not (fresh.home / "mlflow.db").exists()


def dying(step: int, settings: Settings, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is killed at a step."""
    environment = unmeasured() | {"ASSAY_HOME": str(settings.home)}
    line = [sys.executable, "-m", "tests.backup.dying", str(step), *command]
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_restore_that_is_killed_can_be_run_again(settings: Settings, to: Path, tmp_path: Path) -> None:
    keep(settings, to, without=("log", "settings"))
    before = decided(settings)
    counted = dying(0, Settings(home=tmp_path / "counted"), "restore", str(to))
    assert counted.returncode == 0, counted.stderr
    steps, seen = int(counted.stderr.split()[-1]), set()
    # Among the renames, which are the last of all, and once among the copies before them.
    for step in [steps // 2, *range(steps - 8, steps + 1, 2)]:
        home = Settings(home=tmp_path / f"home-{step}")
        killed = dying(step, home, "restore", str(to))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        planned = (home.home / PLAN).exists()
        # Killed after the last rename it has nothing left to do.
        if planned or not (home.home / "mlflow.db").exists():
            brought = bring_back(home, to)
            assert brought.finished == planned
            assert planned == any("that was cut off is finished" in line for line in brought.lines())
            seen.add(planned)
        assert decided(home) == before
    assert seen == {False, True}


def test_a_backup_that_is_killed_leaves_those_of_before(
    settings: Settings, to: Path, fresh: Settings
) -> None:
    first = keep(settings, to).manifest
    Mover(settings).promote("2")
    before = decided(settings)
    for step in (3, 6, 9):
        killed = dying(step, settings, "backup", "--to", str(to))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert read_backup(open_store(str(to))).name == first.name
    keep(settings, to, keep=1)
    bring_back(fresh, to)
    assert decided(fresh) == before


def test_a_manifest_of_values_that_cannot_be_is_refused(settings: Settings, to: Path) -> None:
    made = keep(settings, to).manifest
    wrong = made.model_copy(update={"without": ("everything",)})
    (to / manifest_name(made.name)).write_bytes(wrong.written())
    with pytest.raises(BackupError, match=r"is damaged: .*without"):
        read_backup(open_store(str(to)))


def test_a_plan_that_is_damaged_is_said(fresh: Settings, settings: Settings, to: Path) -> None:
    keep(settings, to)
    fresh.home.mkdir(parents=True)
    (fresh.home / ".assay-restore.json").write_text("half")
    with pytest.raises(BackupError, match="is damaged"):
        bring_back(fresh, to)


def test_the_command_says_what_it_brought_and_only_looks_when_asked(
    settings: Settings,
    to: Path,
    fresh: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep(settings, to)
    assert main(["restore", str(to), "--check"]) == 0
    assert "SpamClassifier version 1 decides as it did" in capsys.readouterr().out
    assert not fresh.home.exists()
    assert main(["restore", str(to), "--home", str(fresh.home)]) == 0
    assert f"is in {fresh.home}." in capsys.readouterr().out
    assert main(["restore", str(to), "--home", str(fresh.home)]) == 1


def test_a_folder_that_cannot_be_made_is_said(settings: Settings, to: Path, tmp_path: Path) -> None:
    keep(settings, to)
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupError, match="cannot be put into"):
        bring_back(Settings(home=tmp_path / "file" / "home"), to)
