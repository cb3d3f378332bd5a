"""Versions promoted, gated again, gone back from and looked up, by the commands and on a real registry."""

import csv
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow import MlflowClient
from pydantic import JsonValue

from assay import lifecycle
from assay.audit import Entry
from assay.cli import main
from assay.database import Database
from assay.loading import open_registry
from assay.registry import Version
from assay.settings import Settings
from tests.conftest import copy_registry, write_csv
from tests.corpus import SPAM_GROUPS

MODEL = "MineClassifier"
TRAIN = ("train", "mine", "--data", "mine.csv", "--text", "T", "--label", "L")
POLICY = (
    'name = "mine"\nlabels = ["ham", "spam"]\npositive = "spam"\n'
    '[data]\nsource = "mine.csv"\ntext = "T"\nlabel = "L"\n[gate]\nmin_f1 = {floor}\n'
)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory, trained: Path) -> Path:
    """A home with two equal versions, neither promoted."""
    folder = tmp_path_factory.mktemp("twice")
    shutil.copy(trained / "mine.csv", folder)
    copy_registry(trained, folder)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ASSAY_", "MLFLOW_TRACKING"))]:
            patch.delenv(name)
        patch.chdir(folder)
        assert main([*TRAIN]) == 0
    return folder


@pytest.fixture
def two_versions(workplace: Path, twice: Path) -> Path:
    """The current folder of a user who has trained ``mine`` twice."""
    copy_registry(twice, workplace)
    return workplace


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command, check how it ended, and return all that it said."""
    capsys.readouterr()
    assert main(arguments) == code
    said = capsys.readouterr()
    return said.out + said.err


def seats() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the stage and aliases of every version."""
    found: list[Version] = open_registry(Settings(home=Path(".assay"))).versions(MODEL)
    return {each.number: (each.stage, each.aliases) for each in found}


def write_policy(floor: float) -> None:
    """Write a task file whose gate asks for an F1."""
    Path("tasks").mkdir(exist_ok=True)
    Path("tasks/mine.toml").write_text(POLICY.format(floor=floor))


@pytest.mark.usefixtures("two_versions")
def test_a_decision_against_an_older_production_version_is_made_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "MineClassifier version 1 is now production." in output(capsys, "promote", "mine", "1")
    said = output(capsys, "promote", "mine", "2")
    assert "but version 1 is now in production" in said
    assert "It is gated again." in said
    assert "equal to the" in said
    assert "MineClassifier version 2 is now production." in said
    assert seats() == {"1": ("Archived", ("previous",)), "2": ("Production", ("production",))}


@pytest.mark.parametrize("seat", ["staging", "production"])
@pytest.mark.usefixtures("two_versions")
def test_a_version_that_today_s_policy_blocks_takes_no_seat(
    capsys: pytest.CaptureFixture[str], seat: str
) -> None:
    write_policy(1.0)
    said = output(capsys, "promote", "mine", "1", "--to", seat, code=2)
    assert "under another policy than the task's of today. It is gated again." in said
    assert "FAIL  F1 of 'spam' is " in said
    assert f"MineClassifier version 1 was not promoted; {seat} has not changed." in said
    assert seats()["1"] == ("None", ())
    assert "was blocked by its gate" in output(capsys, "promote", "mine", "1", "--to", seat, code=1)
    write_policy(0.5)
    said = output(capsys, "promote", "mine", "1", "--to", seat, code=1)
    assert "was blocked by its gate under another policy than the task's of today" in said
    output(capsys, "gate", "mine", "1")
    assert f"is now {seat}" in output(capsys, "promote", "mine", "1", "--to", seat)


@pytest.mark.parametrize("others", [("--data", "easy.csv"), ("--label", "K"), ("--text", "K")])
@pytest.mark.usefixtures("two_versions")
def test_a_gate_passed_on_other_rows_than_those_of_the_task_s_file_gives_no_seat(
    capsys: pytest.CaptureFixture[str], others: tuple[str, str]
) -> None:
    write_policy(0.5)
    output(capsys, "gate", "mine", "1")
    write_csv(Path("easy.csv"), SPAM_GROUPS, count=160)
    if others[1] == "K":
        # Another column makes other rows of the same file.
        with Path("mine.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for number, row in enumerate(rows):
            relabelled = row["L"] if number % 9 else "ham"
            row["K"] = relabelled if others[0] == "--label" else f"{row['T']} {number}"
        with Path("mine.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    said = output(capsys, "gate", "mine", "1", *others)
    assert "The task's file names its own rows: a promotion asks for a pass on those." in said
    said = output(capsys, "promote", "mine", "1")
    assert "but the task's current rows are" in said
    assert "It is gated again." in said
    assert "is now production." in said
    assert "is production already." in output(capsys, "promote", "mine", "1")


@pytest.mark.usefixtures("two_versions")
def test_a_text_that_must_pass_since_today_is_asked_of_older_versions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_policy(0.5)
    assert "is now staging" in output(capsys, "promote", "mine", "1", "--to", "staging")
    with Path("tasks/mine.toml").open("a") as file:
        file.write('[[must_pass]]\ntext = "see you at lunch"\nlabel = "spam"\n')
    said = output(capsys, "promote", "mine", "1", code=2)
    assert "It is gated again." in said
    assert "FAIL  1 of the 1 texts that must pass do not: 'see you at lunch' is decided 'ham'" in said
    assert seats()["1"] == ("Staging", ("staging",))


def test_a_list_made_while_somebody_promotes_says_so_and_goes_on(
    capsys: pytest.CaptureFixture[str], two_versions: Path
) -> None:
    home = two_versions / ".assay"
    with closing(sqlite3.connect(home / "mlflow.db")) as store, store:
        store.execute("UPDATE model_versions SET current_stage = 'Staging'")
    with Database(Settings(home=home).people).lock(f"promotion:{MODEL}", holder="bob"):
        said = output(capsys, "versions", "mine")
    assert f"bob is moving a version of {MODEL!r} now; what follows may be from before that." in said
    assert "   1  Staging" in said


def entry(who: str = "ann", reason: str = "", **evidence: JsonValue) -> Entry:
    return Entry(
        number=1,
        at=datetime(2026, 11, 21, tzinfo=UTC),
        who=who,
        action="promoted",
        model=MODEL,
        seat="production",
        before=None,
        after="1",
        reason=reason,
        kind="override",
        evidence=evidence,
        previous="",
        hash="",
    )


def test_a_reason_cannot_pass_for_another_entry() -> None:
    forged = "ok\n#9  2026-11-21 10:00:00 UTC\x1b[2A\u202e \u00fcn"
    assert lifecycle.printable(forged) == "ok\\n#9  2026-11-21 10:00:00 UTC\\x1b[2A\\u202e \u00fcn"
    told = "\n".join(lifecycle.entry_lines(entry(who="a\nb", reason=forged)))
    assert len(told.splitlines()) == 2


def test_history_says_where_the_clock_stood_behind_the_entry_above() -> None:
    told = lifecycle.evidence(entry(clock="2025-01-01T00:00:00+00:00"))
    assert told == "the clock stood at 2025-01-01T00:00:00+00:00, before the entry above"


@pytest.mark.usefixtures("two_versions")
def test_a_version_is_gated_again_on_the_rows_of_today(capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(Path("mine.csv"), SPAM_GROUPS, count=160)
    write_policy(0.5)
    assert "version 3 is registered" in output(capsys, "train", "mine")
    said = output(capsys, "promote", "mine", "1")
    assert "but the task's current rows are" in said
    assert "MineClassifier version 1 is now production." in said
    assert "assay.gate" not in said


@pytest.mark.usefixtures("two_versions")
def test_rows_that_are_gone_stop_a_promotion_that_needs_them(capsys: pytest.CaptureFixture[str]) -> None:
    write_policy(0.6)
    Path("mine.csv").unlink()
    assert "is neither a named set nor a path that exists" in output(capsys, "promote", "mine", "1", code=1)
    assert seats()["1"] == ("None", ())
    output(capsys, "promote", "mine", "1", "--override", "the rows are in the other building")
    assert seats()["1"] == ("Production", ("production",))


@pytest.mark.usefixtures("two_versions")
def test_who_was_slower_is_told_and_not_gated_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output(capsys, "promote", "mine", "1")
    # As if somebody else had promoted version 1 right after this command had looked.
    monkeypatch.setattr(lifecycle, "seat_holder", lambda *_: "")
    said = output(capsys, "promote", "mine", "2", code=1)
    assert "was empty when this began and is version 1 now, by " in said
    assert "gated again" not in said
    assert seats()["1"] == ("Production", ("production",))


@pytest.mark.usefixtures("two_versions")
def test_going_back_is_one_command_and_leaves_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing was promoted yet of MineClassifier." in output(capsys, "history", "mine")
    assert "has no version that was in production before" in output(capsys, "rollback", "mine", code=1)
    output(capsys, "promote", "mine", "1")
    output(capsys, "promote", "mine", "2")
    said = output(capsys, "rollback", "mine", "--reason", "it called every invoice spam")
    assert said == "MineClassifier version 1 is production again.\n"
    assert "MineClassifier version 1 is production already." in output(capsys, "rollback", "mine", "1")
    assert "MineClassifier version 1 is production already." in output(capsys, "promote", "mine", "1")
    assert seats() == {"1": ("Production", ("production",)), "2": ("Archived", ("previous",))}
    told = output(capsys, "history", "mine")
    assert "production 2 -> 1  rollback by " in told
    assert "why: it called every invoice spam" in told
    assert "promoting" not in told
    assert told.count("evidence: gate passed") == 3
    assert "gate passed against version 1 on the rows " in told


@pytest.mark.usefixtures("two_versions")
def test_history_says_who_answered_at_a_moment(capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys, "promote", "mine", "1")
    before = output(capsys, "history", "mine", "--at", "2020-01-01")
    assert before.startswith("At 2020-01-01 00:00:00 UTC no version of MineClassifier was in production")
    assert "The first entry is of " in before
    later = output(capsys, "history", "mine", "--at", "2999-01-01T10:00+02:00")
    assert later.startswith("2999-01-01 08:00:00 UTC is still to come")
    assert "version 1 of MineClassifier was in production." in later
    assert "until now:\n" in later
    assert "gate passed" in later
    assert "no version of MineClassifier was in staging" in output(
        capsys, "history", "mine", "--at", "2999-01-01", "--seat", "staging"
    )
    assert "Nothing was promoted yet" in output(capsys, "history", "mine", "--seat", "staging")
    assert "production - -> 1" in output(capsys, "history", "mine", "--seat", "production")
    assert "'yesterday' is no moment" in output(capsys, "history", "mine", "--at", "yesterday", code=1)


@pytest.mark.usefixtures("two_versions")
def test_an_edit_on_mlflow_s_pages_is_said_and_put_right(capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys, "promote", "mine", "1")
    client = MlflowClient(
        tracking_uri="sqlite:///.assay/mlflow.db", registry_uri="sqlite:///.assay/mlflow.db"
    )
    client.set_registered_model_alias(MODEL, "production", "2")
    said = output(capsys, "versions", "mine")
    assert "by the audit log it was version 1" in said
    assert "assay rollback mine 1" in said
    assert seats()["2"] == ("Production", ("production",))
    assert seats()["1"][0] == "Archived"
    assert "edit by unknown (outside Assay)" in output(capsys, "history", "mine")
    assert "by the audit log" not in output(capsys, "versions", "mine")
    client.delete_registered_model_alias(MODEL, "production")
    told = output(capsys, "doctor")
    assert "note  Production of 'MineClassifier' is empty; by the audit log it was version 2" in told
    assert "The audit log is whole" in told


@pytest.mark.usefixtures("two_versions")
def test_tampering_with_the_log_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys, "promote", "mine", "1")
    assert "The audit log is whole: 2 entries" in output(capsys, "audit", "verify")
    with closing(sqlite3.connect(".assay/assay.db")) as database:
        database.execute("DROP TRIGGER audit_update")
        database.execute("UPDATE audit SET who = 'somebody else' WHERE number = 2")
        database.commit()
    assert "ntry 2" in output(capsys, "audit", "verify", code=1)
    assert "BAD   people's database" in output(capsys, "doctor", code=1)


@pytest.mark.usefixtures("two_versions")
def test_a_database_that_cannot_be_used_does_not_hide_the_versions(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("broken.db").write_bytes(b"this is no database" * 100)
    monkeypatch.setenv("ASSAY_DATABASE", "sqlite:///broken.db")
    said = output(capsys, "versions", "mine")
    assert "broken.db" in said
    assert "   1  None        passed" in said
    assert "broken.db" in output(capsys, "promote", "mine", "1", code=1)
    assert seats()["1"] == ("None", ())
    assert "BAD   people's database" in output(capsys, "doctor", code=1)


@pytest.mark.usefixtures("two_versions")
def test_a_registry_that_may_only_be_read_does_not_hide_the_versions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output(capsys, "promote", "mine", "1")
    with closing(sqlite3.connect(".assay/mlflow.db")) as database:
        database.execute("UPDATE model_versions SET current_stage = 'Staging' WHERE version = 2")
        database.execute(
            "CREATE TRIGGER shut BEFORE UPDATE ON model_versions BEGIN SELECT RAISE(ABORT, 'read only'); END"
        )
        database.commit()
    said = output(capsys, "versions", "mine")
    assert "cannot be written: read only" in said
    assert "   1  Production  passed" in said
    assert "cannot be written: read only" in output(capsys, "history", "mine")
    told = output(capsys, "doctor", code=1)
    assert "BAD   registry" in told
    assert "cannot be written: read only" in told
    assert "The audit log is whole" in told


@pytest.mark.usefixtures("workplace")
def test_before_the_first_training_there_is_nothing_to_list_and_no_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path(".assay/mlflow.db").unlink()
    assert "MineClassifier has no versions yet" in output(capsys, "versions", "mine")
    assert "Nothing was promoted yet of MineClassifier" in output(capsys, "history", "mine")
