"""What people said becomes the next version, through the gate that every version passes."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

import assay
from assay.cli import main
from assay.database import Database
from assay.estimators import read_manifest
from assay.loading import folder_of
from assay.settings import Settings
from assay.telemetry.decisions.record import Record
from tests.corpus import SPAM_GROUPS, labelled
from tests.telemetry.feedback.logs import record, say, write_active

TASK = """name = "spam"
labels = ["ham", "spam"]
positive = "spam"
[data]
source = "mine.csv"
text = "T"
label = "L"
[estimator]
min_df = 1
[gate]
min_f1 = 0.5
"""


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command, check its exit code and return what it printed, errors after the rest."""
    capsys.readouterr()
    assert main(arguments) == code
    return "".join(capsys.readouterr())


def decided(texts: Sequence[str]) -> list[Record]:
    """Return decisions about texts, just made."""
    return [record(time.time() - 60, text=text) for text in texts]


def test_labels_close_the_loop_and_wrong_ones_do_not_pass_the_gate(
    capsys: pytest.CaptureFixture[str], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_DECISION_TEXT", "full")
    (workplace / "tasks").mkdir()
    (workplace / "tasks" / "spam.toml").write_text(TASK)
    settings = Settings(home=workplace / ".assay")
    told(capsys, "train", "spam", "--promote")
    texts, labels = labelled(SPAM_GROUPS, 120, seed=9)
    records, database = decided(texts), Database(settings.people)
    write_active(settings.decisions, records)
    for label in ("ham", "spam"):
        say(database, [one for one, given in zip(records, labels, strict=True) if given == label], label)
    said = told(capsys, "retrain", "spam", "--promote", "--keep-near")
    assert "SpamClassifier version 2 is now in production" in said
    assert "Both versions were judged on the same rows" in said
    assert assay.load("spam", settings=settings).version == "2"
    folder, _ = folder_of("spam", version="2", settings=settings)
    manifest = read_manifest(folder)
    fed = manifest.dataset["feedback"]
    first, _ = folder_of("spam", version="1", settings=settings)
    before = read_manifest(first).dataset
    assert "feedback" not in before
    assert manifest.dataset["rows"]["test"] == before["rows"]["test"]
    grown, was = (sum(each["rows"]["train"].values()) for each in (manifest.dataset, before))
    assert grown == was + fed["rows"]
    assert f"with {fed['rows']} training rows labelled by feedback" in said
    assert f"(fingerprint {fed['fingerprint'][:12]})" in said
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert "training rows labelled by feedback" in report["dataset"]["source"]

    misled(settings, database)
    said = told(capsys, "retrain", "spam", "--promote", "--keep-near", "--balance", "1000000", code=2)
    assert "version 3 is registered and blocked" in said
    assert assay.load("spam", settings=settings).version == "2"


def misled(settings: Settings, database: Database) -> None:
    """Have one reviewer call much spam wanted."""
    texts = [f"{text}, number {n}" for n in range(12) for text in labelled(SPAM_GROUPS, 200)[0][:100]]
    records = decided(dict.fromkeys(texts))
    write_active(settings.decisions, records)
    with database.writing() as connection:
        for one in records:
            word = "ham" if any(each in one.text for each in SPAM_WORDS) else "spam"
            connection.execute(
                "INSERT INTO feedback VALUES (%s, %s, 'ann', '', '2026-01-01T00:00:00+00:00', 1)",
                (one.id, word),
            )


SPAM_WORDS = ("free", "prize", "win", "call", "claim", "cash")


def test_without_labels_nothing_is_trained(
    capsys: pytest.CaptureFixture[str], workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_DECISION_TEXT", "full")
    (workplace / "tasks").mkdir()
    (workplace / "tasks" / "spam.toml").write_text(TASK)
    write_active(workplace / ".assay" / "logs", decided(["free prize"]))
    said = told(capsys, "retrain", "spam", code=1)
    assert "There are no rows that feedback on 'spam' labelled" in said
