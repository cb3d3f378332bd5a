"""The commands of the decision log, as they are typed."""

import csv
import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assay.audit import AuditLog
from assay.cli import main
from assay.database import Database
from assay.environment import read_settings
from assay.exceptions import ConfigError
from assay.logbook import Span
from assay.telemetry import Feedback, Hashes
from tests.telemetry.decisions.written import record, write_active, write_closed

KEY = b"k" * 32
HASHES = Hashes(KEY)
ANN = HASHES.subject("ann")
DAYS = 86_400
SHOUT = "Win\x1b[31m CASH"


@pytest.fixture
def folder(workplace: Path) -> Path:
    """The log of a user: three decisions of spam an hour ago, one of sentiment, one that is old."""
    hour = time.time() - 3_600
    found = workplace / ".assay" / "logs"
    write_closed(
        found,
        [
            record(0, at=hour, label="spam", score=0.91, rule=None, review=True, subject=ANN),
            record(
                1, at=hour + 1, score=None, rule="=shout", decided_by="rule", key="", text="Win\x1b[31m CASH"
            ),
        ],
    )
    write_active(
        found, [record(2, at=hour + 2, task="sentiment", share=0.5, version="2"), record(3, at=hour + 3)]
    )
    write_closed(found, [record(4, at=hour - 40 * DAYS)], slot=2)
    (found / "decision.key").write_text(KEY.hex())
    return found


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command and return what it wrote, its errors where it fails."""
    assert main(arguments) == code
    told = capsys.readouterr()
    return told.err if code else told.out


def ids(capsys: pytest.CaptureFixture[str], *filters: str) -> list[int]:
    """Return the numbers of the decisions that a query finds."""
    out = said(capsys, "log", "query", *filters, "--json")
    return [json.loads(line).get("characters", 0) for line in out.splitlines()]


@pytest.mark.usefixtures("folder")
def test_decisions_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "log", "stats")
    assert "spam: 3 decisions" in out
    assert "sentiment: 2 decisions" in out
    assert (
        "4 of them are in the log: at times only a share was logged (ASSAY_DECISION_SHARE, down to 0.5)"
        in out
    )
    assert "label       ham 2 (66.7%), spam 1 (33.3%)" in out
    assert "decided by  model 2 (66.7%), rule 1 (33.3%)" in out
    assert "rule        =shout 1 (33.3%)" in out
    assert "key         ann 2 (66.7%), (none) 1 (33.3%)" in out
    assert "review      1 (33.3%)" in out
    assert "scores      0 0 1 0 0 0 0 0 0 1  in tenths from 0 to 1" in out
    assert "Read 2 files of " in out
    told = json.loads(said(capsys, "log", "stats", "spam", "--since", "90d", "--json"))
    assert told["decisions"] == told["logged"] == told["tasks"]["spam"]["decisions"] == 4
    assert (told["torn"], told["files"], list(told["tasks"])) == (0, 3, ["spam"])
    assert told["first"] < told["last"] < told["until"]


def test_many_values_are_told_as_more(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_closed(folder, [record(at, at=time.time() - 60, key=f"k{at:02}") for at in range(15)], slot=3)
    assert "and 5 more" in said(capsys, "log", "stats")


@pytest.mark.usefixtures("folder")
def test_the_newest_decisions_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert ids(capsys) == [3, 2, 1, 0]
    assert ids(capsys, "--limit", "2") == [3, 2]
    assert ids(capsys, "--since", "60d") == [3, 2, 1, 0, 4]
    assert ids(capsys, "--since", "60d", "--until", "7d") == [4]
    out = said(capsys, "log", "query", "spam")
    head, *rows = out.splitlines()
    assert head.split()[:4] == ["decided", "(UTC)", "task", "version"]
    assert [row.split()[-1] if row.split()[-1] != "CASH" else "CASH" for row in rows][1] == "CASH"
    assert "Win\\x1b[31m CASH" in out
    assert "spam (review)" in out
    assert "rule =shout" in out
    assert "\x1b" not in out
    assert "No decision from " in said(capsys, "log", "query", "abuse")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["spam"], [3, 1, 0]),
        (["--label", "spam"], [0]),
        (["--version", "2"], [2]),
        (["--decided-by", "rule"], [1]),
        (["--rule", "=shout"], [1]),
        (["--key", "ann"], [3, 2, 0]),
        (["--subject", "ann"], [0]),
        (["--subject", "bob"], []),
        (["--min-score", "0.5"], [0]),
        (["--max-score", "0.5"], [3, 2]),
        (["--review"], [0]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_decisions_are_found_by(
    filters: list[str], found: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ids(capsys, *filters) == found


@pytest.mark.usefixtures("folder")
def test_words_are_found_where_texts_are_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = said(capsys, "log", "query", "--contains", "cash", code=1)
    assert "ASSAY_DECISION_TEXT is 'hash'" in refused
    monkeypatch.setenv("ASSAY_DECISION_TEXT", "redacted")
    assert ids(capsys, "--contains", "cash") == [1]
    assert ids(capsys, "--contains", "lunch") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["query", "--since", "soon"], "neither a span of time nor a moment"),
        (["query", "--since", "1h", "--until", "2h"], "which is not before --until"),
        (["query", "--limit", "0"], "--limit 0 is not from 1 to 100,000"),
        (["query", "--min-score", "nan"], "nan is no score"),
        (["query", "--min-score", "0.9", "--max-score", "0.1"], "No score is from 0.9 to 0.1"),
        (["query", "--subject", "\udcff"], "is not valid Unicode"),
        (["export", "-o", "out.txt"], "says no format"),
        (["export", "-o", "no/such/out.csv"], "could not be written"),
        (["erase", "--subject", ""], "The subject is empty"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in said(capsys, "log", *arguments, code=1)


def test_without_a_log_or_its_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "decision.key").unlink()
    assert "set ASSAY_DECISION_KEY" in said(capsys, "log", "query", "--subject", "ann", code=1)
    for path in folder.iterdir():
        path.unlink()
    assert said(capsys, "log", "stats").startswith("Decisions from ")
    assert "no closed file" in said(capsys, "log", "compact")
    shutil.rmtree(folder)
    for command in (["stats"], ["query"], ["compact"], ["erase", "--subject", "ann"]):
        assert "There is no decision log in" in said(capsys, "log", *command, code=1)


def test_a_file_that_cannot_be_read_fails_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_closed(folder, [record(at, at=time.time() - 5) for at in range(99)], slot=9, packed=True)
    path.write_bytes(path.read_bytes()[:-20])
    assert main(["log", "stats"]) == 1
    told = capsys.readouterr()
    assert "spam: " in told.out
    assert f"{path.name} could not be read" in told.err


@pytest.mark.usefixtures("folder")
def test_decisions_are_exported(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        assert "3 decisions from 20" in said(capsys, "log", "export", "spam", "-o", name)
    with Path("out.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["characters"] for row in rows] == ["0", "1", "3"]
    assert rows[1]["rule"] == "'=shout"
    assert rows[1]["score"] == ""
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [line["at"] for line in lines] == [row["at"] for row in rows]
    table = pq.read_table("out.parquet")
    assert table.column("characters").to_pylist() == [0, 1, 3]
    assert table.column("text").to_pylist() == [None, "Win\x1b[31m CASH", None]


@pytest.mark.usefixtures("folder")
def test_days_are_put_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert "1 decisions of 1 file are in one" in said(capsys, "log", "compact")
    assert 4 in ids(capsys, "--since", "60d")


def test_a_subject_is_erased_and_it_is_on_record(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_USER", "ada")
    people = Database(read_settings().people)
    about = record(0, at=0.0)
    write_active(folder, [record(7, at=time.time(), subject=ANN)], slot=4, tail=b'{"at"\n')
    found = said(capsys, "log", "query", "--subject", "ann", "--json")
    for line in found.splitlines():
        Feedback(people).keep(json.loads(line)["id"], "ham", key="ann", task=about.task)
    out = said(capsys, "log", "erase", "--subject", "ann", "--reason", "asked on 2026-11-20")
    assert out.splitlines() == [
        "2 decisions were erased from 2 files.",
        "1 line that was cut off went too: whose text they held cannot be told.",
        "2 rows of feedback on them went with them.",
    ]
    assert ids(capsys, "--subject", "ann") == []
    assert "0 decisions were erased from 0 files." in said(capsys, "log", "erase", "--subject", "ann")
    first, second = AuditLog(people).entries()
    assert (first.who, first.action, first.reason) == ("ada", "erased", "asked on 2026-11-20")
    assert first.evidence == {
        **{"subject": ANN, "decisions": 2, "files": 2, "torn": 1, "said": 2, "whole": True},
    }
    assert second.evidence["decisions"] == 0
    assert "2 decisions of 2 files; 2 rows of feedback, subject " in said(capsys, "audit", "show")
    assert said(capsys, "audit", "verify").startswith("The audit log is whole")


def test_an_erasing_that_fails_half_way_is_on_record(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.telemetry.decisions import erasing

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "draft")

    monkeypatch.setattr(erasing, "_rewrite", full)
    assert "No space left" in said(capsys, "log", "erase", "--subject", "ann", code=1)
    [entry] = AuditLog(Database(read_settings().people)).entries()
    assert (entry.evidence["decisions"], entry.evidence["whole"]) == (1, False)
    assert ids(capsys, "--subject", "ann") == [0]


def test_a_span_is_from_one_moment_before_another() -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)
    span = Span.meant("24h", "", now)
    assert str(span) == "from 2026-11-28 00:00:00 UTC until 2026-11-29 00:00:00 UTC"
    with pytest.raises(ConfigError, match="Give the earlier one as --since"):
        Span.meant("1h", "1h", now)


def test_a_task_is_meant_by_its_file_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text(
        'name = "sentiment"\nlabels = ["a", "b"]\npositive = "b"\n[data]\nsource = "mine.csv"\n'
    )
    assert ids(capsys, "mine.toml") == [2]
