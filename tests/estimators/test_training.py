"""Training: what cannot be learned from is refused, and the same rows give the same model."""

import io
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from assay.datasets import Rows
from assay.estimators import Cascade, read_rules, rules_of, train_cascade
from assay.estimators.regression import log_count_ratio
from assay.exceptions import DataError, TextError
from assay.progress import Progress
from tests.conftest import QUIET, make_task
from tests.corpus import SPAM_GROUPS, labelled
from tests.rulesets import RULES_TOML, small_rules

TEXTS, LABELS = labelled(SPAM_GROUPS, 40)


def train(
    texts: list[str], labels: list[str], *, names: list[str] | None = None, **estimator: object
) -> Cascade:
    task = make_task("trial", names or ["ham", "spam"], estimator={"min_df": 1, **estimator})
    return train_cascade(task, Rows(texts, labels), progress=QUIET)


def test_one_class_only_is_refused() -> None:
    with pytest.raises(DataError, match="No training row has the label 'ham'; every label needs rows"):
        train(["free", "prize"], ["spam", "spam"])


def test_a_label_without_rows_is_named() -> None:
    with pytest.raises(DataError, match="No training row has the label 'eggs'") as caught:
        train(TEXTS, LABELS, names=["ham", "spam", "eggs"])
    assert caught.value.data["labels"] == ["eggs"]


@pytest.mark.parametrize("weighting", ["idf", "nb"])
def test_a_label_that_the_task_does_not_list_is_refused(weighting: str) -> None:
    with pytest.raises(DataError, match=r"does not list: \['eggs'\]; it lists \['ham', 'spam'\]"):
        train([*TEXTS, "free eggs"], [*LABELS, "eggs"], weighting=weighting)


@pytest.mark.parametrize("options", [{"weighting": "nb"}, {"char_ngrams": [2, 3]}, {}], ids=str)
def test_rare_n_grams_only_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"No n-gram is left to learn from .*Lower min_df, now 99, or bring"):
        train(TEXTS, LABELS, **(options | {"min_df": 99}))


def test_texts_without_a_token_are_refused() -> None:
    with pytest.raises(DataError, match=r"No n-gram is left to learn from .*empty vocabulary"):
        train(["!", "?"], ["ham", "spam"])


@pytest.mark.parametrize(("text", "fault"), [("", "is empty"), ("\ud800", "lone surrogate")])
def test_a_text_that_could_not_be_scored_is_not_trained_on(text: str, fault: str) -> None:
    with pytest.raises(TextError, match=f"Text 80 .*{fault}"):
        train([*TEXTS, text], [*LABELS, "ham"])


@pytest.mark.parametrize("weighting", ["idf", "nb"])
def test_the_same_rows_give_the_same_model(weighting: str) -> None:
    first, second = (train(TEXTS, LABELS, weighting=weighting, char_ngrams=[2, 3]) for _ in range(2))
    assert np.array_equal(first.predict_proba(TEXTS), second.predict_proba(TEXTS))


@pytest.mark.parametrize("weighting", ["idf", "nb"])
def test_the_order_of_the_labels_changes_no_answer(weighting: str) -> None:
    options = {"weighting": weighting, "C": 1.0}
    one = train(TEXTS, LABELS, **options)
    other = train(TEXTS, LABELS, names=["spam", "ham"], **options)
    assert one.predict(TEXTS) == other.predict(TEXTS)
    np.testing.assert_allclose(one.predict_proba(TEXTS), other.predict_proba(TEXTS)[:, ::-1], atol=0.02)


def test_balanced_classes_weigh_the_rare_one_more() -> None:
    texts, labels = TEXTS[:60] + ["lunch at home"] * 60, LABELS[:60] + ["ham"] * 60
    plain, balanced = (train(texts, labels, class_weight=weight) for weight in ("none", "balanced"))
    assert balanced.predict_proba(["call"])[0, 1] > plain.predict_proba(["call"])[0, 1]


def test_the_threshold_of_the_task_is_served() -> None:
    task = make_task("trial", ["ham", "spam"], threshold={"value": 0.9})
    cascade = train_cascade(task, Rows(TEXTS, LABELS), progress=QUIET)
    assert cascade.operating_point.threshold == 0.9


def test_the_ratio_is_that_of_wang_and_manning() -> None:
    counts = csr_matrix([[1, 0, 1], [1, 1, 0], [0, 1, 0]])
    found = log_count_ratio(counts, np.array([True, True, False]), 1.0)
    p, q = np.array([3, 2, 2]), np.array([1, 2, 1])
    np.testing.assert_allclose(found, np.log((p / 7) / (q / 4)), rtol=1e-15)


def test_rules_saved_with_a_version_expire_like_any_others(tmp_path: Path) -> None:
    table = RULES_TOML.replace('id = "urgent"', 'id = "urgent"\nexpires = 2020-02-01')
    saved = small_rules(tmp_path, table, today=date(2020, 1, 31))
    assert not saved.expired
    path = tmp_path / "saved.toml"
    path.write_text(saved.to_toml(), encoding="utf-8")
    kept = read_rules(path, labels=("ham", "spam"), positive="spam", folding=saved.folding)
    assert (kept, kept.as_of) == (saved, date(2020, 1, 31))
    task = make_task("trial", ["ham", "spam"], rules=str(path))
    assert [rule.id for rule in rules_of(task).expired] == ["urgent"]


def test_training_says_what_it_does() -> None:
    stream = io.StringIO()
    task = make_task("trial", ["ham", "spam"])
    train_cascade(task, Rows(TEXTS, LABELS), progress=Progress(stream))
    lines = stream.getvalue().splitlines()
    assert re.fullmatch(r"  count the n-grams of 80 texts \(.* s\)", lines[0])
    assert re.fullmatch(r"  fit [\d,]+ weights \(.* s\)", lines[1])


WITHOUT = """
import sys
sys.modules[{module!r}] = None
from pathlib import Path
from assay.exceptions import MissingExtra
from tests.estimators.made_up import cascade_of, made
from assay.estimators import import_pipeline, save_artifact, train_cascade
from assay.datasets import Rows
from assay.progress import Progress
cascade = cascade_of(made({{"free": [1.0]}}))
try:
    {call}
except MissingExtra as error:
    print(error)
"""
CALLS = {
    "sklearn": "train_cascade(cascade.task, Rows(['a', 'b'], ['ham', 'spam']), progress=Progress())",
    "tomli_w": "save_artifact(cascade, Path(sys.argv[1]) / 'model', golden=['free'], provenance={})",
    "joblib": "import_pipeline(Path('x.joblib'), None, {})",
}


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("sklearn", "Training needs the package 'scikit-learn'"),
        ("tomli_w", "Saving an artifact needs the package 'tomli-w'"),
        ("joblib", "Importing a scikit-learn model needs the package 'scikit-learn'"),
    ],
)
def test_a_missing_package_is_named(
    module: str, message: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    code = WITHOUT.format(module=module, call=CALLS[module])
    command = [sys.executable, "-c", code, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=pytestconfig.rootpath)
    assert result.stdout.startswith(message), result.stderr
    assert "pip install 'assay[train]'" in result.stdout
