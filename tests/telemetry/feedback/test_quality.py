"""Live precision and recall: exact when all is labelled, honest when little is, whoever chose the labels."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.telemetry.feedback.quality import Quality, measure
from assay.telemetry.feedback.strata import Cell, Stratum, Totals, flat, stratum_of, unflat
from tests.telemetry.feedback.logs import record

RATES = ("precision", "recall", "f1")
Labels = dict[Stratum, dict[str, int]]


def kind(label: str, place: int = 4, *, review: bool = False) -> Stratum:
    """Return a kind of decision."""
    return Stratum(label, "model", review, place)


def cells_of(*decisions: tuple[Stratum, int, float], share: float = 1.0) -> dict[Stratum, Cell]:
    """Return totals: so many decisions of a kind with a confidence."""
    cells: dict[Stratum, Cell] = {}
    for stratum, count, confidence in decisions:
        cell = cells.setdefault(stratum, Cell())
        for _ in range(count):
            cell.count(confidence, share)
    return cells


SPAM, HAM, DOUBT = kind("spam"), kind("ham"), kind("ham", 2)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=4, max_size=4))
@settings(max_examples=25, deadline=None)
def test_where_all_is_labelled_the_figures_are_exact(counts: list[tuple[int, int]]) -> None:
    strata = [kind("spam", 3), kind("spam", 4), kind("ham", 3), kind("ham", 4)]
    labels = {each: {"spam": a, "ham": b} for each, (a, b) in zip(strata, counts, strict=True)}
    cells = cells_of(*((each, sum(said.values()), 0.9) for each, said in labels.items()))
    found = measure(cells, labels, "spam")
    true = sum(labels[each]["spam"] for each in strata[:2])
    made = sum(sum(labels[each].values()) for each in strata[:2])
    missed = sum(labels[each]["spam"] for each in strata[2:])
    exact = {
        "precision": true / made if made else None,
        "recall": true / (true + missed) if true + missed else None,
        "f1": 2 * true / (made + true + missed) if made + true + missed else None,
    }
    for name, value in exact.items():
        figure = found.measured[name]
        assert figure == (None if value is None else pytest.approx((value,) * 3))


@given(st.integers(1, 6), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_estimates_do_not_depend_on_the_scale_of_the_weights(
    times: int, right: int, wrong: int, missed: int
) -> None:
    labels = {SPAM: {"spam": right, "ham": wrong}, HAM: {"spam": missed, "ham": 20}}
    decisions = (SPAM, 60, 0.9), (HAM, 90, 0.99), (DOUBT, 10, 0.6)
    logged, shared = (
        measure(cells_of(*decisions, share=share), labels, "spam") for share in (1.0, 1 / times)
    )
    for name in RATES:
        one, other = logged.measured[name], shared.measured[name]
        assert (one is None) == (other is None)
        if one and other:
            assert one.estimate == pytest.approx(other.estimate)
    for name in RATES:
        one, other = logged.expected[name], shared.expected[name]
        assert one
        assert other
        assert one.estimate == pytest.approx(other.estimate)
        if times > 1:
            assert other.high - other.low > one.high - one.low


def test_where_nobody_looked_anything_may_be_true() -> None:
    cells = cells_of((SPAM, 100, 0.99), (HAM, 900, 0.99))
    found = measure(cells, {SPAM: {"spam": 95, "ham": 5}}, "spam")
    precision, recall = found.measured["precision"], found.measured["recall"]
    assert precision == (0.95, 0.95, 0.95)
    assert recall is not None
    assert recall.low == pytest.approx(95 / 995)
    assert recall.high == 1.0
    assert recall.estimate == pytest.approx(95 / 104), "where nobody looked, confidence is the guess"
    assert found.naive["recall"] is not None
    assert found.naive["recall"].low > 0.97, "what the labels say by themselves"


def test_labels_chosen_by_their_doubt_count_for_those_alone() -> None:
    cells = cells_of((SPAM, 1000, 0.99), (kind("spam", 2), 20, 0.6))
    labels = {SPAM: {"spam": 100}, kind("spam", 2): {"spam": 10, "ham": 10}}
    found = measure(cells, labels, "spam")
    measured, naive = found.measured["precision"], found.naive["precision"]
    assert measured
    assert naive
    assert measured.estimate == pytest.approx(1010 / 1020)
    assert naive.estimate == pytest.approx(110 / 120)


def test_without_labels_confidences_promise_and_with_them_their_error_is_told() -> None:
    cells = cells_of((SPAM, 100, 0.9), (HAM, 900, 0.99))
    alone = measure(cells, {}, "spam")
    assert alone.expected["precision"] is not None
    assert alone.expected["precision"].estimate == pytest.approx(0.9)
    assert alone.expected["recall"] is not None
    assert alone.expected["recall"].estimate == pytest.approx(90 / 99)
    assert alone.error == {}
    judged = measure(cells, {SPAM: {"spam": 50, "ham": 50}, HAM: {"ham": 900}}, "spam")
    error = judged.error["precision"]
    assert error
    assert error.estimate == error.low == error.high == pytest.approx(0.4)


def test_with_more_labels_each_is_measured_and_what_is_missed_is_not_promised() -> None:
    strata = [kind(label) for label in ("a", "b", "c")]
    cells = cells_of(*((each, 10, 0.8) for each in strata))
    labels: Labels = {
        strata[0]: {"a": 8, "b": 2},
        strata[1]: {"b": 9, "c": 1},
        strata[2]: {"c": 7, "a": 2, "x": 1},
    }
    found = {label: measure(cells, labels, label, count=3) for label in "abc"}
    recalls = {label: figure.estimate for label in "abc" if (figure := found[label].measured["recall"])}
    assert recalls == pytest.approx({"a": 8 / 10, "b": 9 / 11, "c": 7 / 8})
    assert found["a"].expected["recall"] is None
    assert found["a"].error["recall"] is None
    assert found["a"].expected["precision"] is not None


def test_rates_that_nothing_defines_are_none() -> None:
    found = measure(cells_of((HAM, 10, 1.0)), {HAM: {"ham": 10}}, "spam")
    assert found.measured == dict.fromkeys(RATES)
    assert found.naive == dict.fromkeys(RATES)
    assert measure({}, {}, "spam").measured == dict.fromkeys(RATES)


def test_a_label_of_a_decision_that_the_log_has_lost_still_counts_once() -> None:
    found = measure({}, {SPAM: {"spam": 3, "ham": 1}}, "spam")
    assert found.measured["precision"] == (0.75, 0.75, 0.75)


def test_equal_arguments_give_equal_figures() -> None:
    cells, labels = cells_of((SPAM, 50, 0.9), (HAM, 70, 0.9)), {SPAM: {"spam": 9, "ham": 1}}
    assert measure(cells, labels, "spam") == measure(cells, labels, "spam")


Choice = Callable[[np.random.Generator, NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.int64]]


def at_random(
    draws: np.random.Generator, _: NDArray[np.bool_], review: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Label any."""
    return draws.choice(len(review), 300, replace=False)


def doubtful(
    draws: np.random.Generator, _: NDArray[np.bool_], review: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Label what is marked for review."""
    return draws.permutation(np.flatnonzero(review))[:150]


def alarms(draws: np.random.Generator, spam: NDArray[np.bool_], _: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Label what was called spam."""
    return draws.permutation(np.flatnonzero(spam))[:150]


def several(
    draws: np.random.Generator, spam: NDArray[np.bool_], review: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Label doubts and alarms more often than others."""
    weight = 1.0 + 9.0 * review + 4.0 * spam
    return draws.choice(len(review), 300, replace=False, p=weight / weight.sum())


def world(draws: np.random.Generator, choice: Choice) -> tuple[Quality, dict[str, float]]:
    """Return what is measured of 3,000 decisions, some labelled by choice, and the truth of all."""
    truth = draws.random(3000) < 0.13
    score = 1 / (1 + np.exp(-np.where(truth, draws.normal(3, 2, 3000), draws.normal(-4, 1.6, 3000))))
    spam, review = score >= 0.5, (score > 0.2) & (score < 0.8)
    confidence = np.where(spam, score, 1 - score)
    kinds = [
        stratum_of("spam" if called else "ham", "model", bool(doubt), float(sure))
        for called, doubt, sure in zip(spam, review, confidence, strict=True)
    ]
    cells: dict[Stratum, Cell] = {}
    for each, sure in zip(kinds, confidence, strict=True):
        cells.setdefault(each, Cell()).count(float(sure), 1.0)
    labels: Labels = {}
    for at in choice(draws, spam, review):
        said = labels.setdefault(kinds[at], {"spam": 0, "ham": 0})
        said["spam" if truth[at] else "ham"] += 1
    both = float((spam & truth).sum())
    precision, recall = both / spam.sum(), both / truth.sum()
    rates = {"precision": precision, "recall": recall, "f1": 2 * both / (spam.sum() + truth.sum())}
    return measure(cells, labels, "spam"), rates


@pytest.mark.parametrize(
    ("choice", "misled"),
    [(at_random, None), (doubtful, "precision"), (doubtful, "recall"), (alarms, "recall"), (several, "f1")],
)
def test_intervals_hold_the_truth_whoever_chose_what_to_label(choice: Choice, misled: str | None) -> None:
    draws, worlds = np.random.default_rng(7), 40
    covered, naive = dict.fromkeys(RATES, 0), dict.fromkeys(RATES, 0)
    for _ in range(worlds):
        found, truth = world(draws, choice)
        for name, value in truth.items():
            figure, simple = found.measured[name], found.naive[name]
            covered[name] += figure is not None and figure.low <= value <= figure.high
            naive[name] += simple is not None and simple.low <= value <= simple.high
    assert min(covered.values()) >= 0.93 * worlds
    if misled:
        assert naive[misled] < 0.8 * worlds, "the selection matters, or this shows nothing"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("12"), st.floats(0, 1), st.booleans())))
@settings(max_examples=30, deadline=None)
def test_totals_are_the_sum_of_their_parts_and_survive_a_file(
    decisions: list[tuple[str, str, float, bool]],
) -> None:
    whole, first, second = Totals(), Totals(), Totals()
    for at, (label, version, confidence, review) in enumerate(decisions):
        one = record(float(at), label=label, version=version, confidence=confidence, review=review, share=0.5)
        whole.count(one)
        (first if at % 2 else second).count(one)
    first.add(second)
    assert first.first == whole.first
    again = unflat([list(row) for row in flat(first)], first.first)
    for some in (first, again):
        assert {key: cell.values() for key, cell in some.cells.items()} == {
            key: pytest.approx(cell.values()) for key, cell in whole.cells.items()
        }
    assert whole.versions("spam") == sorted({version for _, version, *_ in decisions})


def test_versions_are_in_the_order_of_their_numbers() -> None:
    totals = Totals()
    for version in ("10", "9", ""):
        totals.count(record(version=version))
    assert totals.versions("spam") == ["", "9", "10"]
    assert totals.versions("abuse") == []


def test_a_confidence_that_is_no_probability_breaks_nothing() -> None:
    totals = Totals()
    totals.count(record(confidence=7.0))
    totals.count(record(confidence=-1.0))
    assert measure(totals.of("spam", "1"), {}, "spam").expected["precision"] is not None
