"""Held-out scores: those of models that have not seen the row, and folds that keep every label."""

import io
import os
import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.estimators import cross_validation
from assay.estimators.cross_validation import FOLDS, folds_of
from assay.estimators.linear import probabilities
from assay.estimators.tfidf import Fitted, fit_linear
from assay.progress import Progress
from tests.conftest import QUIET
from tests.corpus import ABUSE_GROUPS, SPAM_GROUPS, labelled
from tests.estimators.families import FAMILIES, Family, Reference, ordered, ratios, weighed

GROUPS = dict(zip(("ham", "film", "spam"), ABUSE_GROUPS.values(), strict=True))
FITTED = [family for family in FAMILIES if not family.name.endswith("against-the-rest")]
SPAM_TEXTS, SPAM_TARGETS = labelled(SPAM_GROUPS, 40)

Rows = tuple[list[str], list[str], NDArray[np.int64]]


@pytest.fixture(scope="module", params=FITTED, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    """Every family that is fitted here, in turn."""
    return request.param


def rows_of(family: Family) -> Rows:
    """Return texts, their labels and their folds."""
    texts, targets = labelled({label: GROUPS[label] for label in sorted(family.labels)}, 60)
    folds = folds_of(texts, targets)
    assert folds is not None
    return texts, targets, folds


def fit(family: Family, texts: list[str], targets: list[str], **options: object) -> Fitted:
    return fit_linear(family.task.estimator, family.labels, texts, targets, progress=QUIET, **options)


def plain(family: Family, texts: list[str], targets: list[str]) -> Reference:
    """Return the same model written plainly."""
    if family.settings.get("weighting") == "nb":
        return ratios(family, texts, targets)
    return ordered(family, weighed(family).fit(texts, targets))


def hits_of(texts: list[str]) -> dict[str, NDArray[np.bool_]]:
    """Return what two rules find, the second next to nothing."""
    return {
        "calls": np.array(["call" in text for text in texts]),
        "rare": np.array([text.endswith("7") for text in texts]),
    }


@pytest.mark.parametrize("with_evidence", [False, True], ids=["n-grams", "n-grams and evidence"])
def test_held_out_logits_are_those_of_a_model_of_the_other_folds(family: Family, with_evidence: bool) -> None:
    texts, targets, folds = rows_of(family)
    hits = hits_of(texts) if with_evidence else {}
    whole = fit(family, texts, targets, evidence=hits, folds=folds)
    assert whole.held_out is not None
    assert whole.held_out.shape == (len(texts), 1 if len(family.labels) == 2 else 3)
    for fold in range(FOLDS):
        outside, inside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        rest = fit(
            family,
            [texts[row] for row in outside],
            [targets[row] for row in outside],
            evidence={rule: found[outside] for rule, found in hits.items()},
        )
        assert len(rest.model.blocks[0].vocabulary) < len(whole.model.blocks[0].vocabulary)
        evidence = np.column_stack([found[inside] for found in hits.values()]) if hits else None
        expected = rest.model.logits([texts[row] for row in inside], evidence)
        assert np.abs(whole.held_out[inside] - expected).max() < 1e-9


def test_held_out_logits_are_those_of_scikit_learn(family: Family) -> None:
    texts, targets, folds = rows_of(family)
    fitted = fit(family, texts, targets, folds=folds)
    assert fitted.held_out is not None
    found = probabilities(fitted.held_out, fitted.model.link)
    for fold in range(FOLDS):
        outside, inside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        reference = plain(family, [texts[row] for row in outside], [targets[row] for row in outside])
        assert np.abs(found[inside] - reference([texts[row] for row in inside])).max() < 1e-9


def test_folds_leave_the_model_as_it_is(family: Family) -> None:
    texts, targets, folds = rows_of(family)
    with_folds, without = fit(family, texts, targets, folds=folds), fit(family, texts, targets)
    assert without.held_out is None
    assert np.array_equal(with_folds.model.logits(texts), without.model.logits(texts))


def test_folds_fitted_at_once_score_as_one_after_the_other(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, targets, folds = rows_of(family)
    monkeypatch.setattr(cross_validation, "MOST_AT_ONCE", 1)
    alone = fit(family, texts, targets, folds=folds).held_out
    monkeypatch.setattr(cross_validation, "MOST_AT_ONCE", FOLDS)
    monkeypatch.setattr(os, "cpu_count", lambda: FOLDS)
    for _ in range(3):
        at_once = fit(family, texts, targets, folds=folds).held_out
        assert alone is not None
        assert at_once is not None
        assert np.array_equal(alone, at_once)


def fit_spam(folds: list[int], **estimator: object) -> Fitted:
    family = Family("words", ("ham", "spam"), {"char_ngrams": None, **estimator})
    return fit(family, SPAM_TEXTS, SPAM_TARGETS, folds=folds)


def test_one_fold_gives_no_held_out_scores() -> None:
    assert fit_spam([3] * 80).held_out is None


def test_folds_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="There are 79 fold numbers for 80 texts"):
        fit_spam([0, 1, 2, 3, 4] * 15 + [0, 1, 2, 3])


def test_a_fold_without_which_a_label_is_absent_is_refused() -> None:
    with pytest.raises(ValueError, match="Without fold 0 no row has the label 'ham'"):
        fit_spam([int(target == "spam") for target in SPAM_TARGETS])


def test_folds_whose_rest_has_no_frequent_n_gram_give_no_scores_and_say_so() -> None:
    family = Family("words", ("ham", "spam"))
    texts, targets = ["free prize", "free cash", "lunch today", "see mum"], ["spam", "spam", "ham", "ham"]
    progress = Progress(io.StringIO())
    fitted = fit_linear(
        family.task.estimator, family.labels, texts, targets, folds=[0, 1, 0, 1], progress=progress
    )
    assert fitted.held_out is None
    assert progress.lines[-1] == (
        "  no held-out scores: without fold 0, none of the n-grams is in 2 of the 2 texts"
    )


def test_fitting_folds_is_said() -> None:
    stream = io.StringIO()
    texts, targets, folds = rows_of(FITTED[0])
    config = FITTED[0].task.estimator
    fit_linear(config, FITTED[0].labels, texts, targets, folds=folds, progress=Progress(stream))
    assert re.fullmatch(r"  fit 5 folds for held-out scores \(.* s\)", stream.getvalue().splitlines()[-1])


def test_texts_that_count_as_the_same_share_a_fold() -> None:
    texts = [f"Claim ﬁve  prize {number}" for number in range(200)]
    variants = [f"  CLAIM FIVE prize\t{number}\n" for number in range(200)]
    folds = folds_of(texts + variants, ["spam", "ham"] * 200)
    assert folds is not None
    assert np.array_equal(folds[:200], folds[200:])
    assert np.bincount(folds, minlength=FOLDS).min() > 40


def test_a_texts_fold_depends_on_the_text_alone() -> None:
    folds = folds_of(SPAM_TEXTS, SPAM_TARGETS)
    backwards = folds_of(SPAM_TEXTS[::-1], SPAM_TARGETS[::-1])
    half = folds_of(SPAM_TEXTS[:40], SPAM_TARGETS[:40])
    assert folds is not None
    assert backwards is not None
    assert half is not None
    assert folds.tolist() == backwards[::-1].tolist()
    assert folds[:40].tolist() == half.tolist()


@given(st.lists(st.tuples(st.text(max_size=3), st.sampled_from("abc")), min_size=1, max_size=12))
def test_every_label_is_learned_from_outside_every_fold(rows: list[tuple[str, str]]) -> None:
    texts, targets = [f"x{text.lower()}" for text, _ in rows], [label for _, label in rows]
    folds = folds_of(texts, targets)
    alone = [
        label
        for label in set(targets)
        if len({t for t, y in zip(texts, targets, strict=True) if y == label}) == 1
    ]
    if alone:
        assert folds is None
        return
    if folds is not None:
        for fold in range(FOLDS):
            assert {y for y, f in zip(targets, folds, strict=True) if f != fold} == set(targets)


@pytest.mark.parametrize("number", range(40))
def test_two_distinct_texts_a_label_are_enough(number: int) -> None:
    texts = [f"free {number}", f"prize {number}", f"lunch {number}", f"home {number}"]
    folds = folds_of(texts, ["spam", "spam", "ham", "ham"])
    assert folds is not None
    assert folds[0] != folds[1]
    assert folds[2] != folds[3]


def test_labels_that_no_folds_can_keep_apart_get_none() -> None:
    rows = [(text, f"{one} or {other}") for one, other in combinations("abcdef", 2) for text in (one, other)]
    assert folds_of([text for text, _ in rows], [label for _, label in rows]) is None


def test_a_label_with_one_text_in_two_spellings_has_no_folds() -> None:
    assert folds_of(["Free", "free ", "lunch", "home"], ["spam", "spam", "ham", "ham"]) is None
