"""What doctor says when all is well, and what to do when it is not."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from assay import doctor
from assay.cli import main
from assay.database import Database
from assay.environment import read_settings
from assay.exceptions import ArtifactError
from assay.settings import Settings
from tests.servers import free_port

TASK = 'name = "x"\nlabels = ["a", "b"]\npositive = "a"\n[data]\nsource = "x.csv"\n'


@pytest.fixture(autouse=True)
def _in_a_workplace(workplace: Path) -> None:
    """Keep doctor away from the repository's own tasks and home."""


def examined(capsys: pytest.CaptureFixture[str], code: int) -> list[str]:
    """Return the lines that doctor prints."""
    capsys.readouterr()
    assert main(["doctor"]) == code
    said = capsys.readouterr()
    assert said.err == ""
    return said.out.splitlines()


def bad(lines: list[str]) -> str:
    """Return the one line that says something is broken."""
    [line] = [line for line in lines if not line.startswith(("ok    ", "note  "))]
    return line


def test_a_machine_before_its_first_training_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".assay/mlflow.db").unlink()
    lines = examined(capsys, 0)
    assert any("no task files in 'tasks'; set ASSAY_TASKS, or train with --data" in line for line in lines)
    assert "no version in production; train one: assay train TASK --promote" in lines[-1]
    assert not Path(".assay/mlflow.db").exists()


def test_what_is_installed_configured_and_in_production_is_said(
    capsys: pytest.CaptureFixture[str], with_version: Path
) -> None:
    assert main(["promote", "mine", "1"]) == 0
    Path("tasks").mkdir()
    Path("tasks/x.toml").write_text(TASK)
    said = "\n".join(examined(capsys, 0))
    for part in (
        "ok    Python 3",
        "ok    extra train: installed",
        "ok    kernel: compiled",
        "ok    ASSAY_HOME = .assay  # Folder of all",
        "ok    ASSAY_MODELS = (not set)",
        "GB free for .assay",
        "ok    task x: a, b; data x.csv",
        "ok    production: mine is answered by MineClassifier version 1",
    ):
        assert part in said


@pytest.mark.usefixtures("with_version")
def test_a_damaged_version_in_production_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["promote", "mine", "1"]) == 0

    def rotten(*_: object) -> Path:
        raise ArtifactError("model.safetensors is damaged.")

    monkeypatch.setattr("assay.registry.fetch_version", rotten)
    said = bad(examined(capsys, 1))
    assert "production: mine cannot be answered by MineClassifier version 1: model.safetensors is" in said
    assert "go back with: assay rollback mine" in said


def test_a_registry_that_does_not_answer_is_broken_and_shows_no_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:s3cret@127.0.0.1:{free_port()}")
    lines = examined(capsys, 1)
    assert bad(lines).startswith("BAD   registry http://***@127.0.0.1:")
    assert "s3cret" not in "\n".join(lines)


def test_a_registry_of_another_program_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".assay/mlflow.db").write_text("not a database")
    assert bad(examined(capsys, 1)).startswith("BAD   registry sqlite:")


def test_rules_are_counted_and_expired_or_faulty_ones_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("tasks").mkdir()
    Path("tasks/x.toml").write_text('rules = "x.rules.toml"\n' + TASK)
    rule = '[[rule]]\nid = "sale"\npattern = "sale"\nlabel = "a"\naction = "decide"\nexamples = ["a sale"]\n'
    old = rule.replace("sale", "fair") + "expires = 2020-05-31\n"
    Path("tasks/x.rules.toml").write_text(rule + old)
    said = "\n".join(examined(capsys, 0))
    assert "ok    task x: a, b; data x.csv; active rules: 1" in said
    assert "note  task x: the rule 'fair' is off, it expired on 2020-05-31" in said
    Path("tasks/x.rules.toml").write_text(rule.replace("a sale", "a fair"))
    said = "\n".join(examined(capsys, 1))
    assert "BAD   tasks/x.rules.toml has rules that cannot be used:" in said


def test_a_task_file_that_cannot_be_used_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    Path("tasks").mkdir()
    Path("tasks/good.toml").write_text(TASK)
    Path("tasks/bad.toml").write_text("name = ")
    assert bad(examined(capsys, 1)).startswith("BAD   tasks/bad.toml is not TOML")


def test_a_home_that_cannot_be_written_is_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    monkeypatch.setenv("ASSAY_HOME", "file/home")
    assert "BAD   file/home cannot be written" in bad(examined(capsys, 1))


def test_an_extra_that_is_not_installed_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "EXTRAS", {"hub": ("numpy", "nonesuch_package")})
    [note] = doctor.extras()
    assert note == ("note", "extra hub: without nonesuch_package; pip install 'assay[hub]'")


def test_a_kernel_that_is_not_used_is_worth_a_note_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_KERNEL", "python")
    assert [(note.level, note.what.split(", ")[0]) for note in doctor.kernel()] == [
        ("note", "kernel: scoring in Python"),
        ("note", "kernel: folding in Python"),
        ("note", "kernel: counting in Python"),
    ]
    assert next(doctor.kernel()).what.endswith("same answers: ASSAY_KERNEL is python")
    read_settings()


def test_a_kernel_that_there_is_not_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_KERNEL", "fortran")
    [note] = doctor.kernel()
    assert note.level == "BAD"
    assert "ASSAY_KERNEL is 'fortran'; allowed is python" in note.what


def test_little_room_is_worth_a_note() -> None:
    assert doctor.room(Path("home"), doctor.LOW_DISK_BYTES - 1).level == "note"
    assert doctor.room(Path("home"), 10**9).what == "1.0 GB free for home; make room"
    assert doctor.room(Path("home"), doctor.LOW_DISK_BYTES) == ("ok", "2.1 GB free for home")


def test_a_people_s_database_that_cannot_be_named_is_broken_and_shows_no_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_DATABASE", "mysql://host/db?user=me&password=s3cret")
    lines = examined(capsys, 1)
    assert "mysql://host/db?user=me&password=***' names no database that Assay can use" in bad(lines)
    assert "s3cret" not in "\n".join(lines)


def test_a_promotion_under_way_keeps_the_log_from_no_check(
    capsys: pytest.CaptureFixture[str], with_version: Path
) -> None:
    home = with_version / ".assay"
    with closing(sqlite3.connect(home / "mlflow.db")) as store, store:
        store.execute("UPDATE model_versions SET current_stage = 'Staging'")
    with Database(Settings(home=home).people).lock("promotion:MineClassifier", holder="ann"):
        lines = examined(capsys, 0)
    assert any("ann is changing who serves of 'MineClassifier'" in line for line in lines)
    assert "The audit log is whole: 0 entries" in lines[-1]
