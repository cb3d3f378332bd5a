"""Which task a command means."""

from pathlib import Path

import pytest

from assay.config import Task
from assay.exceptions import ConfigError
from assay.progress import Progress
from assay.settings import Settings
from assay.taskfiles import task_of, task_to_train

TASK = (
    'name = "mine"\nlabels = ["spam", "ham"]\npositive = "ham"\n[data]\nsource = "file.csv"\ntext = "body"\n'
)
ROWS = {"source": "mine.csv", "text": "T", "label": "L"}


def to_train(reference: str = "mine", columns: dict[str, str] = ROWS, **options: object) -> Task:
    """Return the task that training means."""
    given = {"positive": None, "min_f1": None, "progress": Progress(quiet=True), **options}
    return task_to_train(reference, Settings(), columns=columns, **given)  # type: ignore[arg-type]


@pytest.fixture
def file(workplace: Path) -> Path:
    """The file of the task ``mine``."""
    path = workplace / "tasks" / "mine.toml"
    path.parent.mkdir()
    path.write_text(TASK)
    return path


def test_a_file_is_found_by_name_and_by_path(file: Path) -> None:
    assert to_train(columns={}) == to_train("tasks/mine.toml", {}) == task_of("mine", Settings(), columns={})


def test_columns_given_replace_those_of_the_file(file: Path) -> None:
    assert to_train(columns={"source": "new.csv"}).data.model_dump(include={"source", "text"}) == {
        "source": "new.csv", "text": "body",
    }  # fmt: skip
    assert task_of("mine", Settings(), columns={"text": "T"}).data.text == "T"


def test_options_replace_what_the_file_says(file: Path) -> None:
    task = to_train(columns={}, positive="spam", min_f1=0.5)
    assert (task.positive, task.gate.min_f1, task.gate.min_accuracy) == ("spam", 0.5, 0.0)


@pytest.mark.parametrize("columns", [ROWS, {}])
def test_a_file_that_cannot_be_used_is_never_passed_over(
    file: Path, with_version: Path, columns: dict[str, str]
) -> None:
    file.write_text(TASK + "sauce = 1\n")
    with pytest.raises(ConfigError, match=r"data\.sauce: is not a key that exists here"):
        to_train(columns=columns)
    with pytest.raises(ConfigError, match=r"data\.sauce"):
        task_of("mine", Settings(), columns=columns)


def test_a_task_is_made_from_rows(workplace: Path) -> None:
    with Path("mine.csv").open("a") as rows:
        rows.writelines(f"one more of this kind {number},ham\n" for number in range(20))
    progress = Progress(quiet=True)
    task = to_train(progress=progress)
    assert (task.labels, task.positive, task.model) == (("ham", "spam"), "spam", "MineClassifier")
    assert task.data.source == str(workplace / "mine.csv")
    [line] = progress.lines
    assert "the labels are ['ham', 'spam']; looked for is 'spam' (the rarest; else say --positive)" in line
    assert to_train(positive="ham").positive == "ham"


def test_a_task_made_anew_looks_for_the_same_label(with_version: Path) -> None:
    with Path("mine.csv").open("a") as rows:
        rows.writelines(f"one more of this kind {number},spam\n" for number in range(20))
    progress = Progress(quiet=True)
    assert to_train(progress=progress).positive == "spam"
    assert progress.lines[0].endswith("looked for is 'spam' (as before)")


def test_rows_need_no_registry_yet(workplace: Path) -> None:
    Path(".assay/mlflow.db").unlink()
    assert to_train().labels == ("ham", "spam")
    assert not Path(".assay/mlflow.db").exists()


def test_a_task_without_a_file_is_the_one_saved_with_its_version(with_version: Path, trained: Path) -> None:
    task = task_of("mine", Settings(), columns={"label": "L2"})
    assert (task.positive, task.data.source, task.data.label) == ("spam", str(trained / "mine.csv"), "L2")
    with pytest.raises(ConfigError, match="There is no task 'other' in 'tasks'; it has no task files"):
        task_of("other", Settings(), columns={})
    with pytest.raises(ConfigError, match=r"There is no task file 'x/mine\.toml'"):
        task_of("x/mine.toml", Settings(), columns={})
