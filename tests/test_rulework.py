"""``assay rules check``: rules measured on labelled rows beside a model that had not seen them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from assay.cli import main
from assay.config import Task, find_task
from assay.estimators import rules_of
from assay.evaluation import ModelAlone
from assay.evaluation.model_alone import evidence_hits
from assay.exceptions import ConfigError, DataError, RuleError, VersionNotFound
from assay.progress import Progress
from assay.rulework import (
    Side,
    check_rules,
    fit_for_scores,
    not_weighed,
)
from assay.settings import Settings
from tests.conftest import write_csv
from tests.corpus import SPAM_GROUPS
from tests.rulesets import RULES_TOML

QUIET = Progress(quiet=True)
TASK = (
    'name = "mine"\nlabels = ["ham", "spam"]\npositive = "spam"\nrules = "mine.rules.toml"\n{}\n'
    '[data]\nsource = "mine.csv"\ntext = "T"\nlabel = "L"\n[estimator]\nmin_df = 1\n{}'
)


def write_task(top: str = "", more: str = "", rules: str = RULES_TOML) -> Task:
    """Write the task ``mine`` with rules and return it."""
    Path("tasks").mkdir(exist_ok=True)
    Path("tasks/mine.toml").write_text(TASK.format(top, more))
    Path("tasks/mine.rules.toml").write_text(rules)
    return find_task("mine", Path("tasks"))


def checked(task: Task, side: Side = "train", version: str | None = None) -> list[str]:
    """Return what is said of a task's rules."""
    return check_rules(task, Settings(), side=side, version=version, progress=Progress(quiet=True))


def fitted(task: Task):  # type: ignore[no-untyped-def]
    """Return what a model that is fitted now makes of rows that it has not seen, and its rules."""
    from assay.judging import read_rows

    scored = fit_for_scores(task, read_rows(task, Settings(), progress=QUIET), QUIET)
    return scored.alone, scored.alone.cascade.rules


def cells(lines: list[str], rule: str) -> list[str]:
    """Return the cells of a rule's row."""
    [row] = [line.split() for line in lines if line.strip().startswith(f"{rule} ")]
    return row


def test_without_a_version_a_fit_is_made_for_it(workplace: Path) -> None:
    lines = checked(write_task())
    assert lines[0].endswith(
        "rows to train on; the model alone is the out-of-fold decisions of a fit made now."
    )
    assert lines[1].startswith("5 active rules on ")
    assert cells(lines, "prize-claim")[:3] == ["prize-claim", "spam", "decide"]
    # Evidence is a feature of the fit, so that its gain is measured too.
    assert not any("New or changed evidence" in line for line in lines)
    with Path("mine.csv").open(newline="") as file:
        hits = sum(
            "urgent" in row["T"] or "now" in row["T"] or "stop" in row["T"] for row in csv.DictReader(file)
        )
    assert 0 < int(cells(lines, "urgent")[3]) <= hits


def test_the_model_is_judged_by_scores_of_folds_that_had_not_seen_a_row(workplace: Path) -> None:
    # A label that nothing tells of: a model that had seen the rows would get them right all the same.
    rows = [(f"word{number:03}x", ("ham", "spam")[number * 7919 % 13 % 2]) for number in range(300)]
    with Path("mine.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("T", "L"), *rows])
    alone, _ = fitted(write_task())
    truth = dict(rows)
    right = np.mean([a == truth[text] for a, text in zip(alone.labels(), alone.texts, strict=True)])
    assert right < 0.75
    seen = ModelAlone.on(alone.cascade, alone.texts)
    assert np.abs(alone.logits - seen.logits).max() > 0.1


def test_a_fixed_threshold_without_calibration_is_judged_as_it_is_served(workplace: Path) -> None:
    alone, _ = fitted(write_task('calibration = "none"', '[threshold]\ngoal = "fixed"\nvalue = 0.9\n'))
    point = alone.cascade.operating_point
    assert (point.threshold, point.calibration.method) == (0.9, "none")
    odds = np.log(0.9 / 0.1)
    assert alone.labels() == ["spam" if logit >= odds else "ham" for logit in alone.logits[:, 0]]


def test_evidence_is_judged_by_leaving_its_weight_out(workplace: Path) -> None:
    alone, rules = fitted(write_task())
    without = alone.without_each(rules)
    assert list(without) == ["urgent", "later"]
    evidence = alone.cascade.model.evidence
    hits = evidence_hits(alone.cascade, alone.texts)
    for column, rule in enumerate(without):
        logits = alone.logits.copy()
        logits[hits[:, column]] -= evidence.coef[column]
        assert without[rule] == alone.labels(logits)
    assert not_weighed(rules, alone) == []


def test_evidence_that_the_model_does_not_know_is_named(workplace: Path) -> None:
    alone, _ = fitted(write_task())
    _, changed = fitted(write_task(rules=RULES_TOML.replace("now|stop", "now|stop|cash")))
    assert list(alone.without_each(changed)) == ["later"]
    [line] = not_weighed(changed, alone)
    assert line == "New or changed evidence, whose weight the next training finds: urgent."


def test_folded_evidence_depends_on_how_it_is_folded(workplace: Path) -> None:
    folded = RULES_TOML.replace("now|stop)\\>'", "now|stop)\\>'\nview = 'folded'")
    alone, rules = fitted(write_task(rules=folded))
    assert alone.knows(rules) == ["urgent", "later"]
    other = write_task(more="[folding]\nentities = false\n", rules=folded)
    assert alone.knows(rules_of(other)) == ["later"]


def test_rows_that_are_too_few_for_folds_are_refused(workplace: Path) -> None:
    rows = [("free prize", "spam"), *((f"lunch at {number}", "ham") for number in range(30))]
    with Path("mine.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("T", "L"), *rows])
    task = write_task()
    salted = (
        task.model_copy(update={"data": task.data.model_copy(update={"salt": str(number)})})
        for number in range(20)
    )
    from assay.judging import read_rows

    for each in salted:
        try:
            dataset = read_rows(each, Settings(), progress=QUIET)
        except DataError:  # the one row of spam is a test row
            continue
        with pytest.raises(DataError, match="too few to be judged by models that have not seen them"):
            fit_for_scores(each.model_copy(update={"calibration": "none"}), dataset, QUIET)
        return
    pytest.fail("no salt keeps the row of spam for training")


def test_a_version_brings_its_own_scores(with_version: Path) -> None:
    task = write_task()
    lines = checked(task)
    assert lines[0].endswith("the model alone is the out-of-fold decisions of MineClassifier version 1.")
    # The version was trained without rules.
    assert lines[-1] == "New or changed evidence, whose weight the next training finds: urgent, later."
    assert checked(task, version="1")[0] == checked(task, version="latest")[0] == lines[0]
    with pytest.raises(VersionNotFound, match="no version 'production'"):
        checked(task, version="production")


def test_production_goes_before_the_newest(with_version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promote", "mine", "1"]) == 0
    assert main(["train", "mine", "--data", "mine.csv", "--text", "T", "--label", "L"]) == 0
    task = write_task()
    assert "MineClassifier version 1" in checked(task)[0]
    assert "MineClassifier version 2" in checked(task, version="latest")[0]


def test_rows_added_since_a_version_are_left_out(with_version: Path) -> None:
    task = write_task()
    before = checked(task)
    write_csv(Path("mine.csv"), SPAM_GROUPS, count=200)
    after = checked(task)
    assert "rows that it has not seen are left out" in after[0]
    assert "left out" not in before[0]
    Path("mine.csv").write_text(
        "T,L\n" + "".join(f"new {n} text,{'ham spam'.split()[n % 2]}\n" for n in range(99))
    )
    progress = Progress(quiet=True)
    told = check_rules(task, Settings(), side="train", version="1", progress=progress)
    assert "a fit made now" in told[0]
    said = "  MineClassifier version 1 has no held-out scores of these rows; a model is fitted for them"
    assert said in progress.lines


def test_the_test_side_is_judged_by_a_version(with_version: Path) -> None:
    lines = checked(write_task(), side="test")
    assert "rows kept apart; the model alone is that of MineClassifier version 1." in lines[0]
    assert lines[1].startswith("5 active rules on ")


def test_the_test_side_needs_a_version(workplace: Path) -> None:
    with pytest.raises(VersionNotFound, match=r"'MineClassifier' has none\. Train one: assay train mine; or"):
        checked(write_task(), side="test")
    Path(".assay/mlflow.db").unlink()
    with pytest.raises(VersionNotFound, match="has none"):
        checked(write_task(), side="test")


def test_a_task_without_rules_is_told_how_to_have_some(workplace: Path) -> None:
    task = write_task().model_copy(update={"rules": ""})
    with pytest.raises(
        ConfigError, match=r"names no rules\. Write some into mine\.rules\.toml beside its file"
    ):
        checked(task)


def test_the_command_reads_other_rows_and_names_faulty_rules(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_task()
    write_csv(Path("other.csv"), SPAM_GROUPS, count=60, seed=5)
    assert main(["rules", "check", "mine", "--data", "other.csv"]) == 0
    assert "\n5 active rules on 97 labelled rows" in capsys.readouterr().out
    write_task(rules=RULES_TOML.replace('examples = ["stop", ', 'examples = ["start", '))
    assert main(["rules", "check", "mine"]) == 1
    assert "urgent" in capsys.readouterr().err


def test_a_rules_file_that_is_missing_is_said(workplace: Path) -> None:
    task = write_task()
    Path("tasks/mine.rules.toml").unlink()
    with pytest.raises(RuleError, match=r"mine\.rules\.toml"):
        checked(task)
