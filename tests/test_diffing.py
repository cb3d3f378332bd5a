"""What differs between two versions, on a real registry."""

from pathlib import Path

import pytest

from assay.config import Task, read_task
from assay.diffing import diff_versions
from assay.pipeline import run_pipeline
from assay.progress import Progress
from assay.settings import Settings
from assay.tuning import tune_version
from tests.conftest import write_csv
from tests.corpus import ABUSE_GROUPS
from tests.rulesets import RULES_TOML

SETTINGS = Settings(home=Path(".assay"))
QUIET = Progress(quiet=True)


def write_task(*, goal: str = "fixed", rules: str = "", extra: str = "") -> Task:
    """Write the user's task and return it."""
    Path("tasks").mkdir(exist_ok=True)
    Path("tasks/spam.rules.toml").write_text(rules or RULES_TOML, encoding="utf-8")
    Path("tasks/spam.toml").write_text(
        f'name = "spam"\nlabels = ["ham", "spam"]\npositive = "spam"\nrules = "spam.rules.toml"\n{extra}\n'
        '[data]\nsource = "mine.csv"\ntext = "T"\nlabel = "L"\n[estimator]\nmin_df = 1\n'
        f'[threshold]\ngoal = "{goal}"\n'
    )
    return read_task(Path("tasks/spam.toml"))


def diff(task: Task, first: str, second: str) -> list[str]:
    """Return what is said of two versions."""
    return list(diff_versions(task, first, second, SETTINGS, progress=QUIET))


@pytest.mark.usefixtures("workplace")
def test_settings_rules_threshold_metrics_and_decisions_are_told() -> None:
    run_pipeline(write_task(), SETTINGS, progress=QUIET)
    kept, _, rest = RULES_TOML.partition("\n[[rule]]\n")[2].partition("\n[[rule]]\n")
    changed = (
        "\n[[rule]]\n" + kept.replace("An allow rule", "It lets family pass") + "\n[[rule]]\n"
        + rest.partition("\n[[rule]]\n")[2]
        + '\n[[rule]]\nid = "long"\npattern = \'(?s).{60}\'\nlabel = "spam"\naction = "decide"\n'
        'examples = ["' + "long " * 14 + '"]\n'
    )  # fmt: skip
    task = write_task(goal="recall >= 0.9", rules=changed)
    assert tune_version(task, "latest", SETTINGS, progress=QUIET).version.number == "2"
    said = diff(task, "1", "2")
    assert said[0] == "SpamClassifier: version 1 -> version 2"
    for line in (
        "  threshold.goal: 'fixed' -> 'recall >= 0.9'",
        "  rule family: changed note",
        "  rule long: new, decide 'spam'",
        "  rule prize-claim: gone",
    ):
        assert line in said
    assert any(line.startswith("  threshold: 0.5 -> ") for line in said)
    rows = next(at for at, line in enumerate(said) if line.startswith("On "))
    assert said[rows + 2].startswith("  accuracy   ")
    assert any("(rule long)" in line and line.startswith("  broken") for line in said)
    changes = [line for line in said if line.startswith(("  broken", "  mended", "  wrong", "  right"))]
    assert len(changes) == 20


@pytest.mark.usefixtures("workplace")
def test_the_same_artifact_twice_differs_in_nothing() -> None:
    task = write_task()
    for _ in range(2):
        run_pipeline(task, SETTINGS, progress=QUIET)
    said = diff(task, "1", "2")
    assert said[1:3] == [
        "Both decide by the same artifact, to the last bit.",
        "  Task, rules and threshold are the same.",
    ]
    assert said[-1].startswith("0 of ")


@pytest.mark.usefixtures("workplace")
def test_rows_that_are_gone_or_were_trained_on_are_said() -> None:
    task = write_task()
    run_pipeline(task, SETTINGS, progress=QUIET)
    other = task.model_copy(update={"data": task.data.model_copy(update={"salt": "another"})})
    run_pipeline(other, SETTINGS, progress=QUIET)
    said = diff(task, "1", "2")
    (beware,) = [line for line in said if line.startswith("Beware")]
    assert "version 2 was trained on" in beware
    assert "  data.salt: '' -> 'another'" in said
    Path("mine.csv").unlink()
    assert (
        "The decisions are not compared, because the rows cannot be read: 'mine.csv'"
        in diff(task, "1", "2")[-1]
    )


@pytest.mark.usefixtures("workplace")
def test_other_labels_are_said_and_their_decisions_not_compared() -> None:
    task = write_task()
    run_pipeline(task, SETTINGS, progress=QUIET)
    write_csv(Path("abuse.csv"), ABUSE_GROUPS)
    labels = {"labels": tuple(ABUSE_GROUPS), "positive": "hate_speech", "rules": ""}
    data = task.data.model_copy(update={"source": "abuse.csv"})
    wider = task.model_copy(update={**labels, "data": data})
    run_pipeline(wider, SETTINGS, progress=QUIET)
    said = diff(wider, "1", "2")
    assert any(line.startswith("  labels: ") for line in said)
    assert "their decisions are not compared" in said[-1]
