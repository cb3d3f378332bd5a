"""``assay drift``: from the log, the registry and the task's rows to lines, a folder and an exit code."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assay.cli import main
from assay.drifting import look_back
from assay.estimators import attach_report, load_artifact, profile_of
from assay.exceptions import ArtifactError, ConfigError, DataError, VersionNotFound
from assay.judging import evaluate_folder, read_rows
from assay.progress import Progress
from assay.settings import Settings
from assay.telemetry import Look, Record
from tests.conftest import QUIET
from tests.live import HOUR, odd, records_of, usual, watched, write_log
from tests.moving import Mover

LOGS = Path(".assay/logs")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact with a profile, whose task's rows lie beside it."""
    return watched(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without a profile, as versions of before are."""
    return watched(tmp_path_factory.mktemp("bare"), profile=False)


def register(artifact: Path, *, promote: bool = False) -> str:
    """Register an artifact as a version of the current folder's registry and return its number."""
    mover = Mover(Settings())
    number = mover.register(artifact)
    if promote:
        mover.promote(number)
    return number


def log(artifact: Path, texts: Sequence[str], *, version: str = "1", **fields: object) -> list[Record]:
    """Write decisions about texts, made in the last ten hours, and return their records."""
    cascade = load_artifact(artifact).at_version(version)
    records = records_of(cascade, texts, start=time.time() - 10 * HOUR, hours=9.9, **fields)  # type: ignore[arg-type]
    write_log(LOGS, records)
    return records


def look(reference: str = "spam", **given: str) -> Look:
    return look_back(reference, Settings(), progress=QUIET, **{"since": "24h", **given})


def test_a_change_is_said_drawn_and_exits_with_2(
    workplace: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register(made)
    log(made, usual(500) + odd(300))
    assert main(["drift", "spam", "--since", "24h", "--check", "--output", "out"]) == 2
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("SpamClassifier version 1: ALARM, ")
    assert said[-1] == "Plots and all figures are in out; as one page: out/drift.html"
    assert any(line.startswith("Words that came: ") and "zymurgy (" in line for line in said)
    kept = json.loads(Path("out/drift.json").read_text())
    assert {"label", "characters", "unknown"} <= {each["name"] for each in kept["findings"]}
    plots = {path.stem for path in Path("out/plots").iterdir()}
    compared = {each["name"] for each in kept["findings"] if each["told"]}
    assert plots == {*compared, "psi_over_time", "above_over_time"} | {
        f"{each['name']}_over_time" for each in kept["findings"] if each["alarm"]
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in Path("out/plots").iterdir())
    card, page = Path("out/drift.md").read_text(), Path("out/drift.html").read_text()
    assert "## ALARM: Length" in card
    assert page.count("<img src=") == len(plots)
    assert "zymurgy" in page
    assert Look.model_validate_json(Path("out/drift.json").read_bytes()).alarms
    assert main(["drift", "spam"]) == 0


def test_usual_traffic_exits_with_0_and_old_plots_go(workplace: Path, made: Path) -> None:
    register(made)
    log(made, usual(400))
    stale = Path("out/plots/confidence_over_time.png")
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")
    assert main(["drift", "spam", "--check", "--output", "out"]) == 0
    assert not stale.exists()
    assert "no alarm" in Path("out/drift.md").read_text()


def test_too_few_decisions_pass_no_check(
    workplace: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register(made)
    log(made, usual(40))
    assert main(["drift", "spam", "--check", "--output", "out"]) == 1
    assert "NOT COMPARED" in capsys.readouterr().out.splitlines()[0]
    assert "There are too few decisions to part the span." in Path("out/drift.md").read_text()
    assert main(["drift", "spam"]) == 0


def test_the_version_that_decided_most_is_looked_at_and_others_named(workplace: Path, made: Path) -> None:
    register(made)
    register(made)
    log(made, usual(150), version="1")
    log(made, usual(300, 8), version="2")
    found = look()
    assert (found.version, found.logged, found.others) == ("2", 300, {"1": 150})
    assert look(version="1").others == {"2": 300}
    with pytest.raises(
        DataError, match=r"Version '7' of 'spam' decided nothing .* did: 1 \(150\), 2 \(300\)\."
    ):
        look(version="7")


def test_a_swap_in_the_span_is_found_in_the_audit_log(workplace: Path, made: Path) -> None:
    number = register(made, promote=True)
    records = log(made, usual(150), version=number)
    write_log(LOGS, [replace(each, at=each.at + 11 * HOUR) for each in records])
    [swap] = look().swaps
    assert (swap.after, swap.before) == (number, None)
    assert abs(swap.at.timestamp() - time.time()) < 60


def test_an_audit_log_that_cannot_be_read_is_told(
    workplace: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(made)
    log(made, usual(150))
    Path(".assay/assay.db").write_bytes(b"this is no database" * 100)
    found = look()
    assert found.swaps == ()
    assert any(
        note.startswith("Whether versions took over in this span is not known: ") for note in found.notes
    )


def test_without_a_profile_one_is_made_of_the_rows_held_out_now(workplace: Path, bare: Path) -> None:
    register(bare)
    log(bare, usual(200) + odd(200))
    found = look()
    assert found.source == "rows"
    assert found.notes[0].startswith(
        "This version was saved without a profile; one was made now of the task's"
    )
    assert found.notes[0].endswith("The next version will have one: assay train.")
    assert found.rows > 100
    assert "characters" in {each.name for each in found.alarms}


def test_rows_that_were_trained_on_are_told(workplace: Path, tmp_path: Path) -> None:
    """The corpus of the rows is the one that the cascade is fitted on here."""
    artifact = watched(tmp_path, profile=False, corpus_seed=21, threshold={"goal": "max f1"})
    register(artifact)
    log(artifact, usual(200))
    beware = [note for note in look().notes if note.startswith("Beware: the version was trained on ")]
    assert len(beware) == 1


def test_without_profile_and_rows_the_labels_of_the_report_are_compared(
    workplace: Path, bare: Path, tmp_path: Path
) -> None:
    artifact = tmp_path / "reported"
    shutil.copytree(bare, artifact)
    task = load_artifact(bare).task
    report = evaluate_folder(
        bare, read_rows(task, Settings(), progress=QUIET), thorough=False, progress=QUIET
    )
    attach_report(artifact, report.to_json())
    register(artifact)
    log(artifact, usual(200))
    task_file = Path("tasks/spam.toml")
    task_file.parent.mkdir()
    task_file.write_text(
        'name = "spam"\nlabels = ["ham", "spam"]\npositive = "spam"\n[data]\nsource = "gone.csv"\n'
    )
    found = look()
    assert (found.source, [each.name for each in found.findings]) == ("report", ["label"])
    assert "gone.csv" in found.notes[0]
    assert "Only labels are compared." in found.notes[0]
    assert "gone.csv" in found.domain_absent


def test_with_nothing_to_compare_it_says_so(workplace: Path, bare: Path) -> None:
    register(bare)
    log(bare, usual(200))
    Path("tasks").mkdir()
    Path("tasks/spam.toml").write_text(
        'name = "spam"\nlabels = ["ham", "spam"]\npositive = "spam"\n[data]\nsource = "gone.csv"\n'
    )
    with pytest.raises(
        DataError, match=r"nothing to compare these decisions with: .* without a report, .*gone"
    ):
        look()


def test_an_artifact_folder_is_looked_at_by_its_path_or_its_setting(
    workplace: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(made, usual(200), version="")
    found = look(str(made))
    assert (found.task, found.version, found.logged) == ("spam", "", 200)
    with pytest.raises(VersionNotFound, match="Name the folder in the place of the task, or in ASSAY_MODELS"):
        look()
    models = Settings(models=f"elsewhere, {made}")
    assert look_back("spam", models, since="24h", progress=QUIET).logged == 200


def test_a_span_without_decisions_says_what_the_log_has(workplace: Path, made: Path) -> None:
    log(made, usual(5))
    with pytest.raises(DataError, match=r"no decision of the task 'abuse' .*; it has spam \(5\)\."):
        look("abuse")
    with pytest.raises(DataError, match="it has no decision"):
        look(since="2020-01-01", until="2020-01-02")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"since": "2999-01-01"}, "which is still to come"),
        ({"since": "1h", "until": "2h"}, "The span ends before it begins"),
        ({"since": "yesterday"}, "neither a span of time nor a moment"),
    ],
)
def test_spans_that_cannot_be_are_refused(workplace: Path, given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        look(**given)


def test_without_a_log_it_says_where_one_would_be(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", "spam"]) == 1
    assert "There is no decision log in '.assay/logs'" in capsys.readouterr().err


def test_a_version_whose_artifact_is_gone_is_named(workplace: Path, made: Path) -> None:
    register(made)
    log(made, usual(150))
    for folder in Path(".assay/artifacts").iterdir():
        shutil.rmtree(folder)
    with pytest.raises(
        ArtifactError, match=r"Version 1 of 'SpamClassifier' is registered, but .* cannot be read"
    ):
        look()


def test_a_version_that_is_not_registered_is_named(workplace: Path, made: Path) -> None:
    log(made, usual(150), version="9")
    with pytest.raises(VersionNotFound, match="SpamClassifier"):
        look()


def test_a_profile_of_another_format_is_refused(workplace: Path, bare: Path, tmp_path: Path) -> None:
    folder = tmp_path / "newer"
    shutil.copytree(bare, folder)
    profile = profile_of(load_artifact(bare), usual(200)).model_copy(update={"format": 2})
    attach_report(folder, "{}", profile)
    log(bare, usual(150), version="")
    with pytest.raises(ArtifactError, match="is a profile of format 2; this version of Assay reads up to 1"):
        look(str(folder))


def test_torn_lines_are_told(workplace: Path, made: Path) -> None:
    register(made)
    log(made, usual(150))
    with (LOGS / "predictions.jsonl").open("ab") as file:
        file.write(b'{"at": "2026-\n')
    assert any("1 line is no record" in note for note in look().notes)


def test_moments_are_those_of_the_clock_that_is_given(workplace: Path, made: Path) -> None:
    register(made)
    records = log(made, usual(150))
    # Between two decisions: a line has microseconds.
    now = datetime.fromtimestamp(records[100].at - 0.001, UTC)
    found = look_back("spam", Settings(), since="24h", progress=Progress(quiet=True), now=now)
    assert found.logged == 100
    assert found.until == now
