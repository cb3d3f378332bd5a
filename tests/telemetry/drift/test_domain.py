"""The classifier that tells live texts from held-out ones, and its words."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from assay.telemetry.drift.domain import area, tell_apart
from tests.live import odd, usual


def test_the_words_that_came_are_named() -> None:
    domain = tell_apart(usual(300) + odd(300), usual(600, seed=8))
    assert domain.differs
    assert {"thermodynamics", "zymurgy"} <= {each.word for each in domain.came}
    [came] = [each for each in domain.came if each.word == "zymurgy"]
    assert (came.now, came.then) == (0.5, 0.0)
    assert came.weight > 0


def test_the_words_that_went_are_named() -> None:
    domain = tell_apart(usual(600, seed=8), usual(300) + odd(300))
    assert {"thermodynamics", "zymurgy"} <= {each.word for each in domain.went}
    assert all(each.now < each.then and each.weight < 0 for each in domain.went)


def test_texts_of_one_kind_are_not_told_apart() -> None:
    domain = tell_apart(usual(500), usual(500, seed=8))
    assert domain.low < 0.5 < domain.high
    assert not domain.differs
    assert (domain.came, domain.went) == ((), ())


def test_what_redaction_puts_in_a_text_is_no_word_that_came() -> None:
    full = [f"{text} to ann{n}@example.com or 07700 900{n:03}" for n, text in enumerate(usual(400))]
    domain = tell_apart([f"{text} to [email] or [phone]" for text in usual(400, seed=8)], full)
    named = {each.word for each in (*domain.came, *domain.went)}
    assert not named & {"email", "phone", "example", "com", "ann"}
    assert domain.auc < 0.6


def test_repeats_and_texts_of_both_sides_are_left_out() -> None:
    same = usual(50, seed=3)
    domain = tell_apart(usual(200) * 2 + same, usual(200, seed=8) + same)
    assert (domain.live, domain.held_out, domain.left_out) == (200, 200, 250)


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"100 distinct texts .* there are 99 live and 200"):
        tell_apart(usual(99), usual(200, seed=8))


def test_texts_without_a_common_word_are_refused() -> None:
    with pytest.raises(ValueError, match="no word is in 5 of the texts"):
        tell_apart([str(n) for n in range(100)], [str(n) for n in range(300, 500)])


def test_the_area_is_that_of_scikit_learn_and_its_interval_covers() -> None:
    rng, covered = np.random.default_rng(4), 0
    for _ in range(100):
        members, others = rng.normal(0.5, 1, 80), rng.normal(0, 1, 120)
        value, low, high = area(members, others)
        truth = np.repeat([1, 0], [80, 120])
        assert value == pytest.approx(roc_auc_score(truth, np.concatenate([members, others])))
        covered += low <= 0.6382 <= high  # the normal distribution at 0.5 / sqrt(2)
    assert covered >= 0.9 * 100
