"""Rules and goals changed without training, on a real registry."""

import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from assay.config import Task, read_task
from assay.estimators import load_artifact, read_held_out, rules_of
from assay.exceptions import ConfigError, DataError, GoalError, RuleError
from assay.loading import open_registry
from assay.pipeline import run_pipeline
from assay.progress import Progress
from assay.registry import fetch_version, find_version
from assay.rulework import check_rules
from assay.settings import Settings
from assay.taskfiles import saved_task
from assay.tuning import tune_version
from tests.conftest import copy_registry, write_csv
from tests.corpus import SENTIMENT_GROUPS, SPAM_GROUPS
from tests.rulesets import RULES_TOML

SETTINGS = Settings(home=Path(".assay"))
EVERYTHING = """
[[rule]]
id = "everything"
pattern = '(?s).'
label = "spam"
action = "decide"
examples = ["a"]
"""


def write_task(goal: str = "max f1", estimator: str = "min_df = 1", rules: str = RULES_TOML) -> Task:
    """Write the user's task and its rules, and return the task."""
    folder = Path("tasks")
    folder.mkdir(exist_ok=True)
    (folder / "spam.rules.toml").write_text(rules, encoding="utf-8")
    (folder / "spam.toml").write_text(
        f'name = "spam"\nlabels = ["ham", "spam"]\npositive = "spam"\nrules = "spam.rules.toml"\n'
        f'[data]\nsource = "mine.csv"\ntext = "T"\nlabel = "L"\n'
        f'[estimator]\n{estimator}\n[threshold]\ngoal = "{goal}"\n'
    )
    return read_task(folder / "spam.toml")


def tune(task: Task, *, promote: bool = False) -> tuple[str, list[str]]:
    """Return the number of the version that tuning the newest version gives, and what was said."""
    progress = Progress(quiet=True)
    outcome = tune_version(task, "latest", SETTINGS, progress=progress, promote=promote)
    return outcome.version.number, progress.lines


def folder_of(number: str) -> Path:
    """Return the artifact folder of a version."""
    return fetch_version(
        SETTINGS.store, find_version(SETTINGS.store, "SpamClassifier", number), SETTINGS.cache
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Path:
    """A folder whose registry has version 1 of the task with rules in production, to be copied."""
    folder = tmp_path_factory.mktemp("first")
    (folder / ".assay").mkdir()
    shutil.copy(empty_database, folder / ".assay" / "mlflow.db")
    write_csv(folder / "mine.csv", SPAM_GROUPS)
    with chdir(folder):
        home = SETTINGS.model_copy(update={"home": SETTINGS.home.absolute()})
        assert run_pipeline(write_task(), home, progress=Progress(quiet=True), promote=True).promoted
    return folder


@pytest.fixture
def trained(workplace: Path, first: Path) -> Path:
    """The current folder of a user whose task with rules has version 1 in production."""
    copy_registry(first, workplace)
    return workplace


@pytest.mark.usefixtures("trained")
def test_a_changed_rule_makes_a_version_of_the_same_model() -> None:
    before = load_artifact(folder_of("1"))
    fewer = RULES_TOML.replace('id = "prize-claim"', 'id = "prizes"').replace("prize|winner|", "winner|")
    fewer = fewer.replace('"a cash prize, call for it", ', "")
    number, lines = tune(write_task(rules=fewer), promote=True)
    after = load_artifact(folder_of(number))
    assert number == "2"
    assert not any("fit" in line for line in lines)
    assert "  the model of SpamClassifier version 1, its rules and threshold chosen again" in lines
    weights = [(folder_of(each) / "model.safetensors").read_bytes() for each in ("1", "2")]
    assert weights[0] == weights[1]
    assert [rule.id for rule in after.rules.deciding] == ["family", "prizes", "spelled-free"]
    assert after.digest != before.digest
    assert set(after.operating_point.rules) == {"family", "prizes", "spelled-free"}
    text = ["a prize, claim it"]
    assert (before.decide(text)[0].rule, after.decide(text)[0].rule) == ("prize-claim", None)
    production = open_registry(SETTINGS).production("SpamClassifier")
    assert production is not None
    assert production.number == "2"


@pytest.mark.usefixtures("trained")
def test_another_goal_needs_no_training() -> None:
    number, _ = tune(write_task(goal="alerts <= 60 of 100 a day"))
    point = load_artifact(folder_of(number)).operating_point
    assert point.goal == "alerts <= 60 of 100 a day"
    assert read_held_out(folder_of(number)) is not None


@pytest.mark.usefixtures("trained")
def test_tuning_with_nothing_changed_decides_alike() -> None:
    number, _ = tune(write_task())
    points = [load_artifact(folder_of(each)).operating_point for each in ("1", number)]
    assert points[0].model_dump() == points[1].model_dump()
    assert load_artifact(folder_of("1")).digest == load_artifact(folder_of(number)).digest


@pytest.mark.usefixtures("trained")
def test_a_rule_that_matches_everything_is_blocked_by_the_gate() -> None:
    outcome = tune_version(
        write_task(rules=EVERYTHING + evidence_alone(), goal="fixed"),
        "1",
        SETTINGS,
        progress=Progress(quiet=True),
        promote=True,
    )
    assert (outcome.version.gate, outcome.promoted) == ("blocked", False)
    assert load_artifact(folder_of("2")).decide(["lunch tomorrow"])[0].rule == "everything"
    production = open_registry(SETTINGS).production("SpamClassifier")
    assert production is not None
    assert production.number == "1"


def evidence_alone() -> str:
    """Return the evidence rules of the small file."""
    return "".join(f"[[rule]]{part}" for part in RULES_TOML.split("[[rule]]") if '"evidence"' in part)


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(
    ("changes", "error", "reason"),
    [
        (
            {"rules": RULES_TOML.replace("urgent|now|stop", "urgent|now|stop|cash")},
            ConfigError,
            "Evidence rules",
        ),
        ({"rules": RULES_TOML.split('[[rule]]\nid = "later"')[0]}, ConfigError, "Evidence rules"),
        ({"estimator": "min_df = 2"}, ConfigError, "estimator is not that of SpamClassifier version 1"),
        ({"goal": "alerts <= 1 of 100000 a day"}, GoalError, "alerts <= 1 of 100000 a day"),
        ({"rules": RULES_TOML.replace('"stop", "it is urgent"', '"nothing"')}, RuleError, "urgent"),
    ],
    ids=["pattern", "gone", "estimator", "goal", "faulty"],
)
def test_what_cannot_be_tuned_is_refused_and_registers_nothing(
    changes: dict[str, str], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        tune(write_task(**changes))
    assert len(open_registry(SETTINGS).versions("SpamClassifier")) == 1


def test_rows_without_a_score_are_left_out_and_counted(trained: Path) -> None:
    with (trained / "mine.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"an entirely new message number {number},ham\n" for number in range(20))
    _, lines = tune(write_task())
    assert any("training rows are new and have no score" in line for line in lines)


def test_other_data_than_that_of_the_training_is_refused(trained: Path) -> None:
    groups = dict(zip(("ham", "spam"), SENTIMENT_GROUPS.values(), strict=True))
    write_csv(trained / "mine.csv", groups)
    with pytest.raises(DataError, match=r"None of the .* training rows has a held-out score"):
        tune(write_task())


@pytest.mark.usefixtures("trained")
def test_a_version_is_not_judged_by_rows_that_it_was_trained_on() -> None:
    task = write_task()
    salted = task.model_copy(update={"data": task.data.model_copy(update={"salt": "another"})})
    with pytest.raises(
        DataError, match=r"SpamClassifier version 1 was trained on \d+ of the \d+ rows"
    ) as caught:
        tune(salted)
    assert caught.value.data["seen"] > 0
    assert len(open_registry(SETTINGS).versions("SpamClassifier")) == 1
    with pytest.raises(DataError, match="was trained on"):
        check_rules(salted, SETTINGS, side="test", version="1", progress=Progress(quiet=True))


def test_a_saved_task_has_the_rules_of_its_version_and_no_others(workplace: Path) -> None:
    run_pipeline(write_task(), SETTINGS, progress=Progress(quiet=True))
    folder = folder_of("1")
    path = folder / "task.toml"
    path.write_text(path.read_text().replace('rules = "rules.toml"', 'rules = "/dev/zero"'))
    task = saved_task("spam", SETTINGS)
    assert task is not None
    assert Path(task.rules) == folder / "rules.toml"
    assert rules_of(task).deciding[0].id == "family"


@pytest.mark.usefixtures("workplace")
def test_a_version_without_scores_is_trained_instead() -> None:
    task = write_task(goal="fixed").model_copy(update={"calibration": "none"})
    run_pipeline(task, SETTINGS, progress=Progress(quiet=True))
    with pytest.raises(ConfigError, match="keeps no held-out scores"):
        tune(task)


@pytest.mark.usefixtures("workplace")
def test_faulty_rules_stop_a_training_before_any_row_is_read() -> None:
    progress = Progress(quiet=True)
    with pytest.raises(RuleError, match="urgent"):
        run_pipeline(
            write_task(rules=RULES_TOML.replace('"stop", "it is urgent"', '"nothing"')),
            SETTINGS,
            progress=progress,
        )
    assert progress.lines == []
