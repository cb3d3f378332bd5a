"""``assay task new``: from a file of rows to a task file that trains."""

import csv
from pathlib import Path

import pytest

from assay.cli import main
from assay.config import DataConfig, find_task
from assay.drafting import draft_task
from assay.exceptions import ConfigError, DataError
from assay.progress import Progress
from assay.settings import Settings

ROWS = DataConfig(source="mine.csv", text="T", label="L")


@pytest.fixture(autouse=True)
def _in_a_workplace(workplace: Path) -> None:
    """Keep every draft away from the repository's own tasks and home."""


def draft(name: str = "mine", data: DataConfig = ROWS, **options: object) -> Path:
    """Return the path of a drafted task file."""
    given = {"positive": None, "output": None, "progress": Progress(quiet=True), **options}
    return draft_task(name, data, Settings(), **given)[0]  # type: ignore[arg-type]


def test_a_drafted_task_is_found_by_its_name() -> None:
    assert draft() == Path("tasks/mine.toml")
    task = find_task("mine", Path("tasks"))
    assert (task.labels, task.positive, task.data) == (("ham", "spam"), "ham", ROWS)
    assert [path.name for path in Path("tasks").iterdir()] == ["mine.toml"]


def test_a_draft_is_trained_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    labels = {"ham": 'no "spam"\\', "spam": "späm\n# really"}
    with Path("mine.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["T"], labels[row["L"]]) for row in csv.DictReader(file)]
    with Path("odd.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([('the "text" #', "kind\nof\\it"), *rows])
    columns = ("--text", 'the "text" #', "--label", "kind\nof\\it")
    assert main(("task", "new", "odd", "--data", "odd.csv", *columns)) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "300 rows read, 300 kept, 0 dropped"
    assert said[-1] == "Wrote tasks/odd.toml. Read it, say in it what is decided, then: assay train odd"
    assert main(("train", "odd")) == 0
    assert "Gate passed" in capsys.readouterr().out
    assert find_task("odd", Path("tasks")).labels == tuple(labels.values())


def test_the_label_that_is_looked_for_can_be_said() -> None:
    draft(positive="spam")
    assert find_task("mine", Path("tasks")).positive == "spam"
    with pytest.raises(ConfigError, match=r"positive must be one of the labels \['ham', 'spam'\]"):
        draft("other", positive="eggs")
    assert not Path("tasks/other.toml").exists()


def test_a_version_before_keeps_its_positive_label(with_version: Path) -> None:
    draft()
    assert find_task("mine", Path("tasks")).positive == "spam"


def test_a_draft_can_be_written_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    columns = ("--data", "mine.csv", "--text", "T", "--label", "L")
    assert main(("task", "new", "mine", *columns, "--output", "drafts/a.toml")) == 0
    assert capsys.readouterr().out.endswith("then: assay train drafts/a.toml\n")
    assert find_task("drafts/a.toml", Path("tasks")).name == "mine"


def test_a_file_that_exists_is_never_written_over() -> None:
    path = draft()
    path.write_text("mine own")
    with pytest.raises(ConfigError, match=r"'tasks/mine\.toml' exists, and .* --output FILE\.toml"):
        draft()
    assert path.read_text() == "mine own"
    path.unlink()
    path.symlink_to("elsewhere.toml")
    with pytest.raises(ConfigError, match="exists"):
        draft()


@pytest.mark.parametrize("name", ["Mine", "../mine", "", "m" * 64, "1st", "mine.rules"])
def test_a_name_that_no_task_can_have_is_refused_before_the_rows_are_read(name: str) -> None:
    with pytest.raises(ConfigError, match="is no name for a task: it takes small letters"):
        draft(name, DataConfig(source="nonesuch.csv"))


@pytest.mark.parametrize("output", ["mine.txt", "mine", "mine.rules.toml"])
def test_an_output_that_would_not_be_found_is_refused(output: str) -> None:
    with pytest.raises(ConfigError, match=r"its name must end in \.toml, and not in \.rules\.toml"):
        draft(output=Path(output))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DataConfig(source="nonesuch.csv"), "'nonesuch.csv' is neither a named set nor a path that exists"),
        (DataConfig(source="mine.csv"), r"None of the columns \['T', 'L'\] of .* known to hold the text"),
        (DataConfig(source="mine.csv", text="T"), "known to hold the label. Name it: --label COLUMN"),
        (DataConfig(source="one.csv"), "Two labels are needed, and the rows have 'spam'"),
    ],
)
def test_rows_that_cannot_be_used_leave_no_file(data: DataConfig, message: str) -> None:
    Path("one.csv").write_text("text,label\n" + "".join(f"word {n},spam\n" for n in range(60)))
    with pytest.raises(DataError, match=message):
        draft(data=data)
    assert not Path("tasks").exists()


def test_a_column_that_is_not_unicode_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    rows = Path("mine.csv").read_bytes().replace(b"T,L", b"T,caf\xe9", 1)
    Path("mine.csv").write_bytes(rows)
    with pytest.raises(ConfigError, match="is not valid Unicode, and a task file cannot hold it"):
        draft(data=DataConfig(source="mine.csv", text="T", label="caf\udce9"))
    assert not Path("tasks").exists()
