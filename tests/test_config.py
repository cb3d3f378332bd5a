"""Task files: what fits, and how each misfit is named."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assay.config import Goal, Task, find_task, model_name, parse_goal, parse_task, read_task, task_files
from assay.exceptions import ConfigError
from tests.contracts.sources import ROOT

MINIMAL = {"name": "spam", "labels": ["ham", "spam"], "positive": "spam", "data": {"source": "sms-spam"}}
TOML = 'name = "spam"\nlabels = ["ham", "spam"]\npositive = "spam"\n[data]\nsource = "sms-spam"\n'
TWELVE = 999_999_999_999


def task(**changes: Any) -> Task:
    return parse_task({**MINIMAL, **changes}, source="spam.toml")


def test_a_task_needs_name_labels_positive_and_source_only() -> None:
    assert task().labels == ("ham", "spam")
    assert task().binary
    assert (task().data.test, task().data.validation, task().data.duplicates) == (0.2, 0.1, "drop")
    assert task().gate.min_f1 == 0.85


def test_a_task_of_three_labels_is_not_binary() -> None:
    assert not task(labels=["ham", "spam", "scam"]).binary


def test_mlflow_names_are_derived_when_left_out() -> None:
    derived = task(name="my-own_task", labels=["ham", "spam"])
    assert (derived.experiment, derived.model) == ("my-own_task-classification", "MyOwnTaskClassifier")


def test_mlflow_names_are_kept_when_given() -> None:
    given = task(experiment="spam-detection", model="Spam")
    assert (given.experiment, given.model) == ("spam-detection", "Spam")


def test_a_model_name_joins_capitalised_words() -> None:
    assert model_name("spam") == "SpamClassifier"
    assert model_name("hate-speech_en") == "HateSpeechEnClassifier"


def test_a_task_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        task().name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"colour": 1}, r"colour: is not a key that exists here \(got 1\)"),
        ({"gate": {"min_f2": 0.9}}, r"gate\.min_f2: is not a key that exists here \(got 0\.9\)"),
        ({"estimator": {"C": 0}}, r"estimator\.C: .*greater than 0.* \(got 0\)"),
        ({"estimator": {"word_ngrams": [2, 1]}}, r"word_ngrams must rise, like \[1, 2\]; got \[2, 1\]"),
        ({"estimator": {"char_ngrams": [5, 2]}}, r"char_ngrams must rise, like \[1, 2\]; got \[5, 2\]"),
        ({"estimator": {"word_ngrams": [0, 2]}}, r"estimator\.word_ngrams\.0: "),
        ({"estimator": {"family": "forest"}}, r"estimator\.family: .*'tfidf'.* \(got 'forest'\)"),
        ({"threshold": {"value": 1.5}}, r"threshold\.value: "),
        ({"labels": ["ham", "spam", "ham"]}, r"labels must differ; got \['ham', 'spam', 'ham'\]"),
        ({"labels": ["spam"]}, r"labels: "),
        ({"positive": "scam"}, r"positive must be one of the labels \['ham', 'spam'\]; got 'scam'"),
        ({"name": "Spam Filter"}, r"name: .*pattern"),
        ({"name": 5}, r"name: .*string"),
        (
            {"data": {"source": "x", "rename": {"junk": "scam", "ok": "ham"}}},
            r"data\.rename leads to labels that the task does not list: \['scam'\]",
        ),
        (
            {"data": {"source": "x", "test": 0.6, "validation": 0.4}},
            r"data: .*test and validation together must leave rows to train on",
        ),
        (
            {"labels": ["ham", "spam", "scam"], "estimator": {"weighting": "nb"}},
            r"estimator\.weighting 'nb' compares two labels; use 'idf' with more",
        ),
    ],
)
def test_a_fault_is_named_with_its_path(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=rf"^spam\.toml is not a usable task:\n[\s\S]*{fault}"):
        task(**changes)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ConfigError, match="positive") as caught:
        parse_task({"name": "spam", "labels": ["a", "b"], "data": {}, "extra": 1}, source="my file")
    assert caught.value.data == {"source": "my file"}
    for path in ("positive", r"data.source", "extra"):
        assert f"\n  {path}: " in caught.value.message


def test_a_value_that_is_no_table_is_a_fault_of_the_whole_file() -> None:
    with pytest.raises(ConfigError, match=r"\(the whole file\): .* \(got \['spam'\]\)"):
        parse_task(["spam"], source="spam.toml")  # type: ignore[arg-type]


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(ConfigError, match=r"\(got 'x{79}\)$") as caught:
        task(name="x" * 5000)
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_task_file_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "spam.toml"
    path.write_text(TOML, encoding=encoding)
    assert read_task(path) == task()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name = ]", r"spam\.toml is not TOML: .*line 1, column 8"),
        (b"name = '\xff'", r"spam\.toml is not TOML: .*0xff"),
        (b"name = 'spam'", r"spam\.toml is not a usable task:"),
    ],
)
def test_a_task_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "spam.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_task(path)


def test_a_missing_task_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no task file '.*spam\.toml'"):
        read_task(tmp_path / "spam.toml")


def test_a_task_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    path = tmp_path / "spam.toml"
    path.write_text(TOML, encoding="utf-8")
    assert find_task("spam", tmp_path) == find_task(str(path), tmp_path / "elsewhere") == task()


def test_an_unknown_task_is_answered_with_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "spam.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "abuse.toml").write_text(TOML, encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"it has \['abuse', 'spam'\]\. .*assay train mine --data"
    ) as caught:
        find_task("mine", tmp_path)
    assert caught.value.data == {"task": "mine", "known": ["abuse", "spam"]}


def test_files_of_rules_are_no_task_files(tmp_path: Path) -> None:
    for name in ("spam.toml", "spam.rules.toml", "abuse.toml", "notes.txt"):
        (tmp_path / name).write_text(TOML, encoding="utf-8")
    assert [path.name for path in task_files(tmp_path)] == ["abuse.toml", "spam.toml"]


def test_a_folder_without_tasks_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="it has no task files"):
        find_task("mine", tmp_path / "nonesuch")


@pytest.mark.parametrize(
    "path",
    [*task_files(ROOT / "tasks"), *task_files(ROOT / "tasks" / "quickstart")],
    ids=lambda path: path.name,
)
def test_every_task_file_of_the_project_is_usable(path: Path) -> None:
    assert read_task(path).name == path.stem


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        (" max  f1 ", Goal(kind="max f1")),
        ("fixed", Goal(kind="fixed", value=0.3)),
        ("precision >= .99", Goal(kind="precision", value=0.99)),
        ("recall >= 1", Goal(kind="recall", value=1)),
        ("cost miss=2.5 false_alarm=1", Goal(kind="cost", miss=2.5, false_alarm=1)),
        ("alerts <= 999999999999 of 999999999999 a day", Goal(kind="alerts", alerts=TWELVE, per_day=TWELVE)),
    ],
)
def test_a_goal_is_read(text: str, goal: Goal) -> None:
    assert parse_goal(text, value=0.3) == goal


@pytest.mark.parametrize(
    "text",
    [
        *("", "max f2", "precision >= 0", "recall >= 1.01", "precision > 0.9", "cost miss=0 false_alarm=1"),
        *("alerts <= 0 of 10 a day", "alerts <= 11 of 10 a day", "cost miss=-1 false_alarm=1"),
        f"alerts <= 1 of {10**12} a day",
        f"cost miss={10**400} false_alarm=1",
    ],
)
def test_a_goal_that_does_not_exist_is_refused_with_those_that_do(text: str) -> None:
    with pytest.raises(ValueError, match=r"there is no goal .*; goals are 'fixed', 'max f1', .* 12 digits"):
        parse_goal(text, value=0.5)
