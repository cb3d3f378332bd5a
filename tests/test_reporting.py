"""``assay report``: the stored report of a version as a folder, and its page in a browser."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from assay.estimators import load_artifact, read_manifest
from assay.evaluation import Report
from assay.exceptions import ArtifactError, ConfigError, DataError, RegistryUnavailable, VersionNotFound
from assay.loading import folder_of, open_registry
from assay.reporting import find_reported, gate_lines, open_report, stored_report
from assay.settings import Settings


def shown(*reference: str, **options: object) -> list[str]:
    """Return what is said of a version's report."""
    return list(open_report(reference, Settings(), **options))  # type: ignore[arg-type]


def folder_of_mine() -> Path:
    """Return the artifact folder of the version 1 of mine."""
    return folder_of("mine", version="1", settings=Settings())[0]


@pytest.fixture
def with_spam(with_version: Path, spam_artifact: Path) -> None:
    """A second task, whose version was registered without being evaluated."""
    registry, task = open_registry(Settings()), load_artifact(spam_artifact).task
    Path("nothing").mkdir()
    run_id = registry.log_run(
        task, artifact=spam_artifact, report=Path("nothing"), metrics={}, params={}, tags={}
    )
    registry.register(task, run_id, manifest=read_manifest(spam_artifact), gate=None)


@pytest.mark.parametrize(
    "reference", [("mine", "1"), ("mine", "latest"), ("mine",), ("1",), ("Latest",), (" 1 ",)]
)
def test_a_task_a_version_or_both_name_a_version(with_version: Path, reference: tuple[str, ...]) -> None:
    found = find_reported(reference, Settings())
    assert (found.model, found.number) == ("MineClassifier", "1")


def test_the_report_is_written_as_a_folder_with_its_page(with_version: Path) -> None:
    lines = shown("1")
    folder = Path(".assay/reports/MineClassifier-1")
    assert lines[0] == "MineClassifier version 1"
    assert lines[-1] == (
        f"Model card, plots and figures are in {folder}; as one page: {(folder / 'report.html').absolute()}"
    )
    report = Report.from_json((folder / "report.json").read_bytes())
    assert report.version == "1"
    assert lines[1 : len(report.lines()) + 1] == report.lines()
    page, card = (folder / "report.html").read_text(), (folder / "model_card.md").read_text()
    for text in (page, card):
        assert "MineClassifier version 1" in text
        assert "Gate passed" in text
    assert page.count("data:image/png;base64,") == len(list((folder / "plots").glob("*.png")))
    assert "Gate passed" in lines


def test_what_was_registered_is_told_and_nothing_is_measured_anew(with_version: Path) -> None:
    """The rows are gone, and the report says what it said."""
    Path("mine.csv").unlink()
    shown("mine", output=Path("a"))
    shown("mine", output=Path("b"))
    assert (Path("a/report.json").read_bytes()) == (Path("b/report.json").read_bytes())
    stored = json.loads((folder_of_mine() / "report.json").read_bytes())
    assert json.loads(Path("a/report.json").read_bytes()) == stored | {"version": "1"}
    assert not Path(".assay/reports").exists()


def test_show_opens_the_page(with_version: Path) -> None:
    opened: list[str] = []
    lines = shown("1", show=True, browse=lambda address: not opened.append(address))
    [address] = opened
    assert address == Path(".assay/reports/MineClassifier-1/report.html").absolute().as_uri()
    assert lines[-1].startswith("Model card")


def test_without_a_browser_it_is_said(with_version: Path) -> None:
    assert "There is no browser" in shown("1", show=True, browse=lambda _: False)[-1]
    assert "There is no browser" not in shown("1", browse=lambda _: False)[-1]


def test_more_words_or_none_are_refused() -> None:
    for reference in ((), ("a", "b", "c")):
        with pytest.raises(
            ConfigError, match=r"a task, a version, or both; got .*As in: assay report spam 3"
        ):
            find_reported(reference, Settings())


def test_an_unknown_task_or_version_lists_what_there_is(with_version: Path) -> None:
    with pytest.raises(VersionNotFound, match="MineClassifier"):
        shown("yours")
    with pytest.raises(VersionNotFound, match=r"no version '7'\. It has 1"):
        shown("7")
    with pytest.raises(VersionNotFound, match="no version 'production'"):
        shown("production")


def test_nothing_registered_says_how_to_begin(workplace: Path) -> None:
    with pytest.raises(VersionNotFound, match=r"No version is registered yet\. Train one: assay train TASK"):
        shown("latest")
    Path(".assay/mlflow.db").unlink()
    with pytest.raises(RegistryUnavailable):
        shown("latest")


@pytest.mark.usefixtures("with_spam")
def test_several_tasks_have_to_be_told_apart() -> None:
    told = r"Several tasks are registered: mine, spam\..*assay report mine latest"
    with pytest.raises(ConfigError, match=told) as caught:
        shown("1")
    assert caught.value.data["tasks"] == ["mine", "spam"]
    assert find_reported(("mine", "1"), Settings()).model == "MineClassifier"


@pytest.mark.usefixtures("with_spam")
def test_a_version_without_a_report_is_told_how_to_get_one() -> None:
    told = (
        "SpamClassifier version 1 was registered without being evaluated.*assay evaluate spam 1 --data FILE"
    )
    with pytest.raises(DataError, match=told):
        shown("spam")
    assert gate_lines(find_reported(("spam",), Settings()), Settings()) == []


def test_a_damaged_report_is_refused(with_version: Path, trained: Path, tmp_path: Path) -> None:
    version = find_reported(("1",), Settings())
    copy = tmp_path / "run" / "model"
    shutil.copytree(folder_of_mine(), copy)
    (copy / "report.json").write_text("{}")
    with pytest.raises(ArtifactError, match=r"report\.json is damaged"):
        stored_report(replace(version, source=str(copy)), Settings())


def test_the_gate_is_told_from_its_tags_where_its_file_is_gone(with_version: Path, tmp_path: Path) -> None:
    version = find_reported(("1",), Settings())
    assert len(gate_lines(version, Settings())) > 2
    gone = replace(version, source=str(tmp_path / "model"))
    assert gate_lines(gone, Settings()) == ["Gate passed"]
    reasons = {"assay.gate.reasons": "F1 is low.\nIt is slow."}
    blocked = replace(gone, gate="blocked", tags=reasons)
    assert gate_lines(blocked, Settings()) == ["Gate blocked", "  FAIL  F1 is low.", "  FAIL  It is slow."]
    assert gate_lines(replace(gone, gate="none"), Settings()) == []
