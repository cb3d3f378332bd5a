"""From labels to figures and files, by the commands: what counts, what is left out, what is refused."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assay.cli import main
from assay.database import Database
from assay.exceptions import ConfigError
from assay.relabelling import window_of
from assay.settings import Settings
from assay.telemetry import Feedback
from assay.telemetry.decisions.record import Record
from tests.telemetry.feedback.logs import record, say, write_active, write_closed

NOW = datetime.now(UTC)
TASK = """name = "spam"
labels = ["ham", "spam"]
positive = "spam"
[data]
source = "mine.csv"
text = "T"
label = "L"
"""
HOUR = 3_600.0


@pytest.fixture
def folder(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the decision log of a user in the current folder, who has a task."""
    monkeypatch.setenv("ASSAY_DECISION_TEXT", "full")
    (workplace / "tasks").mkdir()
    (workplace / "tasks" / "spam.toml").write_text(TASK)
    return workplace / ".assay" / "logs"


@pytest.fixture
def database(folder: Path) -> Database:
    """The people's database of that user."""
    return Database(Settings(home=folder.parent).people)


def decisions(count: int, label: str = "spam", **parts: object) -> list[Record]:
    """Return decisions of the last hours, each with a text of its own."""
    begun = NOW.timestamp() - HOUR
    return [
        record(begun + n, label=label, text=f"{label} number {n} of {label}s {parts.get('key', '')}", **parts)
        for n in range(count)
    ]


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command, check its exit code and return what it printed, errors after the rest."""
    capsys.readouterr()
    assert main(arguments) == code
    return "".join(capsys.readouterr())


def test_stats_tell_who_said_what_and_how_good_versions_are(
    capsys: pytest.CaptureFixture[str], folder: Path, database: Database
) -> None:
    spam, ham = decisions(20, key="app"), decisions(40, "ham", key="other", version="2")
    write_active(folder, [*spam, *ham])
    say(database, spam[:15], "spam", "ann")
    say(database, spam[15:], "ham", "ann")
    say(database, spam[:2], "ham", "app", reviewer=False)
    say(database, ham[:3], "spam", "app", reviewer=False)
    say(database, [record()], "spam", "ann")
    said = told(capsys, "feedback", "stats", "spam", "--until", "2100-01-01")
    assert "spam: 25 labels, from ann 80%, app 20%" in said
    assert "23 decisions found in the decision log" in said
    assert "3 labels of decisions that another key asked for: kept, not counted" in said
    assert "2 decisions that keys label differently; 2 without a majority" in said
    assert "version 1: 20 decisions, 18 of them labelled" in said
    assert "version 2: 40 decisions, 0 of them labelled" in said
    assert "without what ann said, spam: precision 0.000 (" in said
    found = json.loads(told(capsys, "feedback", "stats", "spam", "--json"))
    assert (found["matched"], found["foreign"], found["tied"], found["leading"]) == (23, 3, 2, "ann")
    assert found["keys"] == {"ann": 20, "app": 5}
    first, second = found["versions"]
    assert first["labels"]["spam"]["measured"]["precision"]["estimate"] == pytest.approx(13 / 18)
    assert second["labels"]["spam"]["measured"]["precision"] is None
    assert second["labels"]["spam"]["naive"]["precision"] is None


def test_what_one_key_says_alone_is_told_apart(
    capsys: pytest.CaptureFixture[str], folder: Path, database: Database
) -> None:
    spam = decisions(20)
    write_active(folder, spam)
    say(database, spam, "ham", "zealot")
    say(database, spam[:4], "spam", "ann")
    say(database, spam[:4], "spam", "bob")
    said = told(capsys, "feedback", "stats", "spam")
    assert "precision 0.200 (0.200 to 0.200)" in said
    assert "without what zealot said, spam: precision 1.000 (" in said


def test_labels_of_decisions_that_left_the_log_are_told_and_not_counted(
    capsys: pytest.CaptureFixture[str], folder: Path, database: Database
) -> None:
    old = [record(NOW.timestamp() - 5 * HOUR + n) for n in range(3)]
    new = decisions(3)
    path = write_closed(folder, old)
    write_active(folder, new)
    say(database, [*old, *new])
    assert "6 decisions found" in told(capsys, "feedback", "stats", "spam")
    path.unlink()
    said = told(capsys, "feedback", "stats", "spam")
    assert "3 labelled decisions that have left the log: not counted" in said
    assert "version 1: 3 decisions, 3 of them labelled" in said


def test_without_labels_only_what_is_expected_is_told(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    write_active(folder, decisions(10))
    said = told(capsys, "feedback", "stats", "spam")
    assert "spam: 0 labels\n" in said
    assert "precision -                         -                         0.950 (" in said


def test_labels_are_exported_with_the_texts_of_the_log(
    capsys: pytest.CaptureFixture[str], folder: Path, database: Database
) -> None:
    spam, ham = decisions(6), decisions(6, "ham")
    textless = [record(NOW.timestamp() - 10)]
    tied = [record(NOW.timestamp() - 10, text="nobody knows")]
    write_active(folder, [*spam, *ham, *textless, *tied])
    say(database, [*spam, *textless, *tied])
    say(database, ham, "ham")
    say(database, [*spam[:2], *tied], "ham", "bob")
    say(database, spam[:1], "spam", "cid")
    export = ("feedback", "export", "spam", "--keep-near", "-o")
    said = told(capsys, *export, "rows.csv")
    assert "11 rows are in rows.csv: ham 6, spam 5" in said
    assert "2 left out: as many keys say one label as another" in said
    assert "1 left out: the log has no text of them" in said
    with Path("rows.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert list(written[0]) == ["text", "label", "decision", "version", "at", "key"]
    assert {each["decision"]: (each["text"], each["label"], each["key"]) for each in written} == {
        spam[0].id: (spam[0].text, "spam", "ann+cid"),
        **{each.id: (each.text, "spam", "ann") for each in spam[2:]},
        **{each.id: (each.text, "ham", "ann") for each in ham},
    }
    before = Path("rows.csv").read_bytes()
    told(capsys, *export, "rows.csv")
    assert Path("rows.csv").read_bytes() == before
    told(capsys, *export, "rows.jsonl")
    lines = [json.loads(line) for line in Path("rows.jsonl").read_text("utf-8").splitlines()]
    assert lines == written
    assert "no file to write rows to" in told(capsys, *export, "rows.parquet", code=1)


def test_without_texts_or_labels_an_export_says_what_to_do(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_active(folder, decisions(3))
    said = told(capsys, "feedback", "export", "spam", "-o", "rows.csv", code=1)
    assert "There are no rows that feedback on 'spam' labelled" in said
    monkeypatch.setenv("ASSAY_DECISION_TEXT", "hash")
    for command in (("feedback", "export", "spam", "-o", "rows.csv"), ("retrain", "spam")):
        assert "ASSAY_DECISION_TEXT=redacted or full" in told(capsys, *command, code=1)
    assert not Path("rows.csv").exists()


def test_a_log_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert not folder.exists()
    said = told(capsys, "feedback", "stats", "spam", code=1)
    assert "There is no decision log in '.assay/logs'" in said


def test_a_span_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--since '1d' is not before --until '2d'"):
        window_of("1d", "2d")
    window = window_of("2d", "1d", NOW)
    assert (window.since, window.until) == tuple((NOW - timedelta(days=days)).timestamp() for days in (2, 1))


@pytest.mark.parametrize(
    "option", [("--key-share", "1.5"), ("--balance", "0.5"), ("--subject-share", "nan"), ("--balance", "x")]
)
def test_guards_that_mean_nothing_are_refused(option: tuple[str, str], folder: Path) -> None:
    assert not folder.exists()
    with pytest.raises(SystemExit) as refused:
        main(["feedback", "export", "spam", "-o", "rows.csv", *option])
    assert refused.value.code == 1


def test_feedback_may_come_days_later(
    capsys: pytest.CaptureFixture[str], folder: Path, database: Database
) -> None:
    old = [record(NOW.timestamp() - 9 * 86_400 + n) for n in range(3)]
    write_closed(folder, old, packed=True)
    Feedback(database).keep(old[0].id, "spam", key="ann", task="")
    assert "1 decisions found" in told(capsys, "feedback", "stats", "spam")
