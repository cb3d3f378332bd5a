"""What every cascade promises, with rules and without: one answer in any company, kept by its artifact."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.estimators import Cascade, load_artifact, read_tables, save_artifact
from tests.corpus import HAM, ODD, SPAM, SPAM_GROUPS, labelled

TASKS = ("spam", "sentiment", "abuse", "ruled")
TEXTS = [
    *labelled(SPAM_GROUPS, 60, seed=4)[0],
    *ODD,
    "f.r.e.e offer",
    "ＦＲＥＥ mobile",
    "mum is home, claim a prize",
    "a prize to claim",
    "x" * 60_000,
    "\x00",
    "free prize " * 5_000,
]
WORDS = st.lists(st.sampled_from([*SPAM, *HAM, "fr€e", "F-R-E-E", "!", "\n"]), min_size=1).map(" ".join)
ANY = st.text(min_size=1)


@pytest.fixture(params=TASKS)
def cascade(request: pytest.FixtureRequest) -> Cascade:
    """Each cascade in turn."""
    found: Cascade = request.getfixturevalue(f"{request.param}_cascade")
    return found


def test_a_texts_answer_does_not_depend_on_the_others(cascade: Cascade) -> None:
    judged = cascade.judge(TEXTS)
    order = np.random.default_rng(0).permutation(len(TEXTS)).tolist()
    again = cascade.judge([TEXTS[at] for at in order])
    assert again.labels == [judged.labels[at] for at in order]
    assert np.array_equal(again.probabilities, judged.probabilities[order])
    assert again.rules.tolist() == judged.rules[order].tolist()
    alone = np.vstack([cascade.predict_proba([text]) for text in TEXTS])
    assert np.array_equal(alone, judged.probabilities)


def test_every_way_of_asking_gives_the_same_label(cascade: Cascade) -> None:
    judged, decisions = cascade.judge(TEXTS), cascade.decide(TEXTS)
    assert cascade.predict(TEXTS) == judged.labels == [each.label for each in decisions]
    assert np.array_equal(cascade.predict_proba(TEXTS), judged.probabilities)
    assert cascade.score(TEXTS, judged.labels) == 1.0


def test_probabilities_sum_to_one(cascade: Cascade) -> None:
    rows = cascade.predict_proba(TEXTS)
    assert rows.shape == (len(TEXTS), len(cascade.labels))
    assert rows.min() >= 0
    assert np.abs(rows.sum(axis=1) - 1).max() < 1e-12


def test_an_artifact_decides_to_the_bit_as_what_was_saved(cascade: Cascade, tmp_path: Path) -> None:
    save_artifact(cascade, tmp_path / "again", golden=TEXTS[:40], provenance={})
    loaded = load_artifact(tmp_path / "again")
    assert loaded.rules == cascade.rules
    assert loaded.operating_point.model_dump() == cascade.operating_point.model_dump()
    assert np.array_equal(loaded.predict_proba(TEXTS), cascade.predict_proba(TEXTS))
    assert loaded.digest == cascade.digest


def test_there_are_no_answers_to_no_texts(cascade: Cascade) -> None:
    assert cascade.decide([]) == []
    assert cascade.predict_proba([]).shape == (0, len(cascade.labels))


def test_a_rules_answer_is_final_and_has_no_score(ruled_cascade: Cascade) -> None:
    allow, block, folded, model = ruled_cascade.decide(
        ["mum is home, claim a prize", "a prize to claim", "f.r.e.e offer", "prize"]
    )
    told = [(each.label, each.decided_by, each.rule, each.score) for each in (allow, block, folded)]
    assert told == [
        ("ham", "rule", "family", None),
        ("spam", "rule", "prize-claim", None),
        ("spam", "rule", "spelled-free", None),
    ]
    measured = ruled_cascade.operating_point.rules
    assert [each.confidence for each in (allow, block)] == [
        measured["family"].low,
        measured["prize-claim"].low,
    ]
    assert (model.decided_by, model.rule) == ("model", None)
    assert model.score is not None


def test_the_review_band_marks_scores_and_nothing_else(ruled_cascade: Cascade) -> None:
    decisions = ruled_cascade.decide(TEXTS)
    low, high = ruled_cascade.operating_point.review or (1, 0)
    for each in decisions:
        assert each.review == (each.score is not None and low <= each.score <= high)
        if each.score is not None:
            assert each.label == ("spam" if each.score >= (each.threshold or 0) else "ham")
    assert {each.review for each in decisions} == {True, False}


def test_the_table_behind_the_threshold_is_kept(ruled_artifact: Path, ruled_cascade: Cascade) -> None:
    [table] = read_tables(ruled_artifact)
    assert table.chosen.threshold == ruled_cascade.operating_point.threshold
    assert (table.label, table.goal, len(table.rows)) == ("spam", "max f1", 99)
    assert ruled_cascade.operating_point.calibration.method in ("sigmoid", "isotonic")


@settings(max_examples=60, deadline=None)
@given(texts=st.lists((WORDS | ANY).filter(str.strip), min_size=1, max_size=5))
def test_any_texts_are_answered_one_by_one_as_together(ruled_cascade: Cascade, texts: list[str]) -> None:
    judged = ruled_cascade.judge(texts)
    for row, text in enumerate(texts):
        alone = ruled_cascade.judge([text])
        assert alone.labels == [judged.labels[row]]
        assert np.array_equal(alone.probabilities[0], judged.probabilities[row])
