"""What a profile is made of, and which words a model does not know."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.estimators import (
    Cascade,
    counts_of,
    observe,
    profile_of,
    unknown_share,
    unknown_shares,
)
from assay.estimators.profiling import FIRST_CHARACTERS, MOST_ROWS, QUANTILES, edges_of, profile_from
from assay.exceptions import DataError
from tests.corpus import SPAM_GROUPS, labelled
from tests.estimators.made_up import cascade_of, made

TEXTS = labelled(SPAM_GROUPS, 60, 5)[0]
WORDS = made({"good": [2.0], "bad": [-2.0], "film": [0.0]})


def test_a_profile_has_what_two_labels_decide(ruled_cascade: Cascade) -> None:
    profile = profile_of(ruled_cascade, TEXTS)
    assert (profile.task, profile.rows) == ("spam", 120)
    found = {each.name: each for each in profile.statistics}
    assert list(found) == ["label", "decided_by", "above", "near", "score", "characters", "unknown"]
    assert found["label"].labels == ("ham", "spam")
    assert found["decided_by"].labels == ("model", *(rule.id for rule in ruled_cascade.rules.deciding))
    assert found["near"].band == (0.1, 0.9)  # the review band
    decisions = ruled_cascade.decide(TEXTS)
    scores = [each.score for each in decisions if each.score is not None]
    assert found["label"].counts[1] == sum(each.label == "spam" for each in decisions)
    assert found["decided_by"].counts[0] == len(scores)
    assert found["above"].counts[0] == sum(score >= decisions[0].threshold for score in scores)
    assert found["near"].counts[0] == sum(0.1 <= score <= 0.9 for score in scores)
    assert found["score"].rows == len(scores) < found["characters"].rows == 120


def test_a_profile_of_more_labels_has_their_confidence(abuse_cascade: Cascade) -> None:
    found = [each.name for each in profile_of(abuse_cascade, TEXTS).statistics]
    assert found == ["label", "confidence", "characters", "unknown"]


def test_without_a_review_band_near_is_a_tenth_both_ways() -> None:
    [near] = [each for each in profile_of(cascade_of(WORDS), ["good film"]).statistics if each.name == "near"]
    assert near.band == (0.4, 0.6)


def test_a_model_of_characters_has_no_unknown_words() -> None:
    model = made({"oo": [1.0]}, analyzer="char_wb", ngrams=(2, 2))
    assert unknown_shares(model, ["a", "b"]) == [None, None]
    assert "unknown" not in [each.name for each in profile_of(cascade_of(model), ["good"]).statistics]


def test_a_model_of_pairs_alone_has_no_unknown_words() -> None:
    assert unknown_share(made({"good film": [1.0]}, ngrams=(2, 2)), "good film") is None


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("good film", 0.0),
        ("Good, GOOD, good plot!", 0.5),
        ("plot twist", 1.0),
        ("!!! ?", 1.0),
        ("good " * 100 + "x" * 100, 0.0),  # the word that is cut is not looked at
        ("y" * 2 * FIRST_CHARACTERS, 1.0),
        ("good " * 100 + "bad plot " * 100, 1 / 3),
    ],
)
def test_unknown_words_are_counted_once_each(text: str, share: float) -> None:
    assert unknown_share(WORDS, text) == pytest.approx(share)


@given(st.lists(st.text(max_size=700)))
def test_one_by_one_is_as_all_together(texts: list[str]) -> None:
    assert unknown_shares(WORDS, texts) == [unknown_share(WORDS, text) for text in texts]


def test_of_very_many_rows_evenly_spread_ones_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_ROWS == 50_000
    monkeypatch.setattr("assay.estimators.profiling.MOST_ROWS", 10)
    texts = ["good"] * 13 + ["bad"] * 12
    profile = profile_of(cascade_of(WORDS), texts)
    assert (profile.rows, profile.statistics[0].counts) == (9, (4, 5))


def test_a_profile_needs_a_text() -> None:
    with pytest.raises(DataError, match="at least one text"):
        profile_of(cascade_of(WORDS), [])


def test_a_profile_counts_what_is_counted_live(spam_cascade: Cascade) -> None:
    profile = profile_of(spam_cascade, TEXTS)
    seen = observe(spam_cascade, TEXTS)
    assert profile == profile_from(spam_cascade, seen)
    for reference in profile.statistics:
        assert counts_of(reference, seen).tolist() == list(reference.counts)


@given(st.lists(st.integers(0, 30).map(float) | st.floats(0, 1), min_size=1, max_size=400))
def test_no_bin_is_empty_unless_all_values_are_equal(values: list[float]) -> None:
    edges = edges_of(np.array(values))
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    assert list(edges) == sorted(set(edges))
    if len(set(values)) == 1:
        assert counts.tolist() == [0, len(values), 0]
    else:
        assert (counts > 0).all()
        assert len(counts) >= 2


@pytest.mark.parametrize(("rows", "bins"), [(5_000, 16), (500, 14), (100, 12), (50, 10), (4, 2)])
def test_thin_tails_are_parted_where_there_are_rows_for_it(rows: int, bins: int) -> None:
    values = np.random.default_rng(0).permutation(rows).astype(float)
    edges = edges_of(values)
    assert len(edges) + 1 == bins
    if rows == 5_000:
        assert edges == pytest.approx(np.quantile(values, QUANTILES), abs=1)


def test_no_values_are_one_bin() -> None:
    assert edges_of(np.array([])) == ()


def test_a_word_list_is_made_once_and_holds_for_an_artifact_on_disk(spam_artifact: Path) -> None:
    from assay.estimators import load_artifact

    one, two = (load_artifact(spam_artifact).model for _ in range(2))
    assert unknown_shares(one, TEXTS) == unknown_shares(two, TEXTS)
