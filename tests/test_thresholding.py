"""``assay thresholds``: the table behind a threshold, two thresholds side by side, and what is written."""

import csv
import dataclasses
import shutil
from pathlib import Path

import pytest

from assay.cli import main
from assay.estimators import load_artifact, measure_threshold, read_held_out, read_tables
from assay.exceptions import ConfigError, DataError, VersionNotFound
from assay.settings import Settings
from assay.thresholding import as_csv, compared, plain, show_thresholds
from tests.conftest import fit, make_task, saved
from tests.corpus import ABUSE_GROUPS, SPAM_GROUPS


@pytest.fixture(autouse=True)
def _in_a_workplace(workplace: Path) -> None:
    """Keep what is written away from the repository."""


@pytest.fixture(scope="module")
def spam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact whose threshold was chosen for a goal."""
    task = make_task("spam", ["ham", "spam"], threshold={"goal": "recall >= 0.9", "texts_a_day": 5000})
    return saved(fit(task, SPAM_GROUPS), tmp_path_factory.mktemp("spam") / "model")


@pytest.fixture(scope="module")
def abuse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact with a threshold for each of three labels."""
    labels = ["neither", "offensive language", "hate/speech"]
    groups = dict(zip(labels, ABUSE_GROUPS.values(), strict=True))
    task = make_task("abuse", labels, threshold={"goal": "max f1"})
    return saved(fit(task, groups), tmp_path_factory.mktemp("abuse") / "model")


def shown(folder: Path | str, version: str = "latest", **options: object) -> list[str]:
    """Return what is said of thresholds."""
    return list(show_thresholds(str(folder), version, Settings(), **options))  # type: ignore[arg-type]


def test_the_table_is_shown_plotted_and_written_whole(spam: Path) -> None:
    lines = shown(spam)
    assert lines[0] == f"{spam}, on the rows that it was trained on, scored by models that had not seen them"
    assert "chosen for the goal 'recall >= 0.9'" in lines[1]
    assert [line for line in lines if line.startswith("  > ")] != []
    [folder] = Path(".assay/thresholds").iterdir()
    assert lines[-1] == f"Plots and whole tables are in {folder}."
    assert sorted(path.name for path in folder.iterdir()) == ["thresholds.csv", "thresholds.png"]
    assert (folder / "thresholds.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((folder / "thresholds.csv").read_text().splitlines()))
    [table] = read_tables(spam)
    assert len(rows) in (len(table.rows), len(table.rows) + 1)
    [chosen] = [row for row in rows if row["chosen"] == "yes"]
    assert (float(chosen["threshold"]), int(chosen["caught"])) == (
        table.chosen.threshold,
        table.chosen.true_positives,
    )
    assert float(chosen["alerts_a_day"]) == table.alerts_a_day(table.chosen)
    assert [float(row["threshold"]) for row in rows] == sorted(float(row["threshold"]) for row in rows)


def test_what_is_undefined_is_empty_in_the_csv(spam: Path) -> None:
    [table] = read_tables(spam)
    none = table.chosen.model_copy(update={"true_positives": 0, "false_positives": 0})
    [row] = csv.DictReader(as_csv([table.model_copy(update={"rows": (none,), "chosen": none})]).splitlines())
    assert (row["precision"], row["chosen"]) == ("", "yes")


def test_every_label_has_its_own_plot(abuse: Path, tmp_path: Path) -> None:
    shown(abuse, output=tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [
        "thresholds-1-neither.png",
        "thresholds-2-offensive-language.png",
        "thresholds-3-hate-speech.png",
        "thresholds.csv",
    ]
    assert plain("../ a:b" + "x" * 60) == "a-b" + "x" * 36
    assert plain("日本") == "日本"


def test_two_thresholds_are_put_side_by_side(spam: Path, tmp_path: Path) -> None:
    lines = shown(spam, compare=(0.05, 0.95), minutes=6)
    assert any(line.split() == ["at", "0.05", "at", "0.95"] for line in lines)
    assert "5,000 texts a day" in lines[1]
    assert any("At 6 minutes an alert" in line for line in lines)
    assert not Path(".assay/thresholds").exists()
    both = shown(spam, compare=(0.05, 0.95), output=tmp_path / "out")
    assert both[-1] == f"Plots and whole tables are in {tmp_path / 'out'}."
    assert any("At 2 minutes an alert" in line for line in both)


def test_a_threshold_of_three_labels_leaves_those_of_the_others(abuse: Path) -> None:
    cascade, held_out = load_artifact(abuse), read_held_out(abuse)
    thresholds = dict(zip(cascade.labels, (0.9, 0.09, 0.01), strict=True))
    point = cascade.operating_point.model_copy(update={"thresholds": thresholds})
    cascade = dataclasses.replace(cascade, operating_point=point)
    assert held_out is not None
    sample = held_out.sample(point.calibration, cascade.model.link)
    row = measure_threshold(sample, point, cascade.labels, "hate/speech", "hate/speech", 0.3)
    [caught] = [line.split() for line in compared(cascade, abuse, (0.3, 0.9), None) if "  caught " in line]
    assert caught[1] == f"{row.true_positives:,}"


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf")])
def test_minutes_that_cannot_be_are_refused(spam: Path, minutes: float) -> None:
    with pytest.raises(ConfigError, match="An alert takes an analyst more than 0 minutes; got"):
        shown(spam, compare=(0.4, 0.5), minutes=minutes)


def test_a_threshold_that_cannot_be_is_refused(spam: Path) -> None:
    with pytest.raises(ConfigError, match=r"at most 1, as in the table; got 1\.5"):
        shown(spam, compare=(0.4, 1.5))


def test_a_version_without_scores_of_its_own_is_refused() -> None:
    old = Path(__file__).parent / "artifacts" / "v1" / "three-labels"
    shutil.copytree(old, "old")
    with pytest.raises(DataError, match=r"^old has no scores .* assay evaluate TASK VERSION --data FILE$"):
        shown("./old")
    with pytest.raises(DataError, match="has no scores of rows that its model had not seen"):
        shown("./old", compare=(0.4, 0.5))


def test_a_version_is_found_by_its_task_and_says_whether_the_goal_holds(
    with_version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["thresholds", "mine", "1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("MineClassifier version 1, on the rows that it was trained on")
    assert said[-2].startswith("Goal fixed: F1 of 'spam' is ")
    assert said[-2].endswith(", both at the threshold 0.5.")
    assert said[-1] == "Plots and whole tables are in .assay/thresholds/MineClassifier-1."
    assert main(["thresholds", "mine", "--compare", "0.3", "0.6", "--output", "out"]) == 0
    assert Path("out/thresholds.csv").is_file()
    with pytest.raises(VersionNotFound, match="no version '7'"):
        shown("mine", "7")
