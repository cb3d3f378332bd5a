"""Calibrated probabilities are fitted by the book, rise with the score and are served as they were fitted."""

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.estimators.calibration import Calibration, brier_score, choose_calibration
from assay.estimators.curves import IsotonicCurve, SigmoidCurve
from assay.estimators.linear import Link, probabilities, sigmoid
from assay.estimators.log_odds import log_odds
from assay.exceptions import DataError, MissingExtra

LINKS: list[tuple[Link, int]] = [("sigmoid", 1), ("softmax", 2), ("ovr", 2), ("softmax", 3), ("ovr", 4)]


def drawn(rows: int, *, slope: float, seed: int = 0) -> tuple[Any, Any, Any]:
    """Return logits, truths whose log-odds are slope times the logit, and the validation rows."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (rows, 1))
    truth = (rng.random(rows) < sigmoid(slope * logits[:, 0])).astype(int)
    return logits, truth, rng.random(rows) < 0.3


def stepped(rows: int) -> tuple[Any, Any, Any]:
    """Return what drawn does, the probability being a step of 0.1, 0.5 and 0.9, which no sigmoid follows."""
    logits, _, validation = drawn(rows, slope=1)
    chance = np.select([logits[:, 0] < -1, logits[:, 0] < 4], [0.1, 0.5], 0.9)
    return logits, (np.random.default_rng(1).random(rows) < chance).astype(int), validation


def three(rows: int, *, seed: int = 0) -> tuple[Any, Any, Any]:
    """Return overconfident logits of three labels, their truths and the validation rows."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 4, (rows, 3))
    below = probabilities(logits / 3, "softmax").cumsum(axis=1)
    truth = (rng.random((rows, 1)) > below).sum(axis=1).clip(0, 2)
    return logits, truth, rng.random(rows) < 0.3


points = st.lists(st.floats(-50, 50), min_size=2, max_size=8, unique=True).flatmap(
    lambda x: st.builds(
        IsotonicCurve,
        x=st.just(tuple(sorted(x))),
        y=st.lists(st.floats(0.001, 0.999), min_size=len(x), max_size=len(x)).map(lambda y: tuple(sorted(y))),
    )
)
sigmoids = st.builds(SigmoidCurve, slope=st.floats(1e-6, 1e3), intercept=st.floats(-50, 50))


@given(curve=points, x=st.lists(st.floats(-60, 60), min_size=1))
def test_a_step_curve_is_the_line_through_its_points(curve: IsotonicCurve, x: list[float]) -> None:
    numbers = np.array([*x, *curve.x])
    drawn_ = np.interp(numbers, curve.x, curve.y)
    assert np.allclose(curve.of(numbers), drawn_, rtol=0, atol=1e-9)
    assert curve.of(np.array(curve.x)).tolist() == list(curve.y)


@given(curve=points | sigmoids, x=st.floats())
def test_one_log_odds_gets_to_the_bit_what_it_gets_among_others(
    curve: SigmoidCurve | IsotonicCurve, x: float
) -> None:
    [first, again] = curve.of(np.array([x, x])).tolist()
    assert repr(curve.at(x)) == repr(first) == repr(again)
    assert (first != first) == (x != x)


@pytest.mark.parametrize(("link", "columns"), LINKS)
def test_without_curves_the_models_own_probabilities_are_given(link: Link, columns: int) -> None:
    logits = np.random.default_rng(0).normal(0, 5, (20, columns))
    assert (Calibration().probabilities(logits, link) == probabilities(logits, link)).all()


@given(curve=points | sigmoids, x=st.floats(-60, 60), step=st.floats(0, 10))
def test_a_higher_logit_never_gets_a_lower_probability(
    curve: SigmoidCurve | IsotonicCurve, x: float, step: float
) -> None:
    calibration = Calibration(
        method="sigmoid" if isinstance(curve, SigmoidCurve) else "isotonic", curves=(curve,)
    )
    rising = np.sort(np.array([x, np.nextafter(x, np.inf), x + step, *getattr(curve, "x", ())]))
    around = np.sort(np.concatenate([rising, np.nextafter(rising, -np.inf)]))
    given_ = calibration.probabilities(around[:, None], "sigmoid")[:, 1]
    assert (np.diff(given_) >= 0).all()


def test_rounding_does_not_turn_the_order_of_scores_around() -> None:
    rng, turned = np.random.default_rng(0), 0
    for _ in range(1000):
        x, y = np.sort(rng.normal(size=3)), np.sort(rng.random(3))
        around = np.array([np.nextafter(x[1], -9), x[1], np.nextafter(x[2], -9), x[2]])
        assert (np.diff(IsotonicCurve(x=tuple(x), y=tuple(y)).of(around)) >= 0).all()
        turned += (np.diff(np.interp(around, x, y)) < 0).any()
    assert turned > 0, "np.interp alone keeps the order: the curve can be simpler"


@given(
    st.lists(
        st.tuples(points, st.lists(st.floats(-700, 700), min_size=3, max_size=3)), min_size=3, max_size=3
    )
)
def test_rows_sum_to_one(parts: list[tuple[IsotonicCurve, list[float]]]) -> None:
    logits = np.array([row for _, row in parts])
    curves = tuple(curve for curve, _ in parts)
    many = Calibration(method="isotonic", curves=curves).probabilities(logits, "softmax")
    two = Calibration(method="isotonic", curves=curves[:1]).probabilities(logits[:, :1], "sigmoid")
    assert many.shape == (3, 3)
    assert two.shape == (3, 2)
    for rows in (many, two):
        assert (rows >= 0).all()
        np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize(("link", "columns"), LINKS)
def test_a_row_does_not_depend_on_the_others(method: Any, link: Link, columns: int) -> None:
    rng = np.random.default_rng(3)
    labels = max(columns, 2)
    logits, truth = rng.normal(0, 3, (300, columns)), np.arange(300) % labels
    logits[np.arange(300), truth % columns] += 4 if columns > 1 else 4 * truth
    calibration = choose_calibration(method, logits, truth, link, labels, truth == -1).calibration
    assert calibration.method == method
    together = calibration.probabilities(logits, link)
    assert together.shape == (300, labels)
    alone = np.vstack([calibration.probabilities(row[None], link) for row in logits])
    assert (together == alone).all()


def test_a_text_that_every_curve_takes_for_hopeless_is_as_likely_each_label() -> None:
    hopeless = SigmoidCurve(slope=1, intercept=-2000)
    calibration = Calibration(method="sigmoid", curves=(hopeless,) * 3)
    assert calibration.probabilities(np.zeros((1, 3)), "softmax").tolist() == [[1 / 3] * 3]


@pytest.mark.parametrize(("link", "columns"), LINKS[1:])
def test_log_odds_are_those_of_the_raw_probabilities(link: Link, columns: int) -> None:
    logits = np.random.default_rng(0).normal(0, 3, (50, columns))
    raw = probabilities(logits, link)[:, 1 if columns == 2 else 0 :]
    np.testing.assert_allclose(log_odds(logits, link), np.log(raw / (1 - raw)), rtol=1e-9)


def test_log_odds_stay_apart_where_probabilities_round_to_one() -> None:
    far = log_odds(np.array([[900.0, 0.0, -5.0], [800.0, 0.0, -5.0]]), "softmax")
    assert np.isfinite(far).all()
    assert far[0, 0] > far[1, 0] > 700


def test_many_labels_are_compared_in_parts() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (500, 40))
    whole = log_odds(logits, "softmax")
    assert (whole == np.vstack([log_odds(row[None], "softmax") for row in logits])).all()


def test_the_sigmoid_is_platts() -> None:
    from scipy.optimize import minimize

    logits, truth, validation = drawn(400, slope=0.4)
    x, yes, no = logits[:, 0] * 7 + 100, truth.sum(), 400 - truth.sum()
    target = np.where(truth == 1, (yes + 1) / (yes + 2), 1 / (no + 2))

    def loss(parts: Any) -> float:
        at = parts[0] * (x - 100) + parts[1]
        return float((np.logaddexp(0, at) - target * at).sum())

    slope, start = minimize(loss, [0.1, 0.0], tol=1e-12).x
    choice = choose_calibration("sigmoid", x[:, None], truth, "sigmoid", 2, validation)
    [curve] = choice.calibration.curves
    assert isinstance(curve, SigmoidCurve)
    assert curve.slope == pytest.approx(slope, rel=1e-4)
    assert curve.intercept == pytest.approx(start - slope * 100, rel=1e-4)
    assert choice.reason == "the task asks for sigmoid"
    assert choice.brier.keys() == {"none", "sigmoid", "isotonic"}


def test_a_sigmoid_of_rows_that_a_line_divides_is_finite() -> None:
    logits = np.repeat([[-9.0], [9.0]], 20, axis=0)
    truth = np.repeat([0, 1], 20)
    calibration = choose_calibration("sigmoid", logits, truth, "sigmoid", 2, truth == 9).calibration
    # Platt's targets: 1 of 22 and 21 of 22.
    low, high = calibration.probabilities(np.array([[-9.0], [9.0]]), "sigmoid")[:, 1]
    assert (low, high) == (pytest.approx(1 / 22), pytest.approx(21 / 22))


def test_the_isotonic_curve_is_that_of_scikit_learn_inside_its_bounds() -> None:
    from sklearn.isotonic import IsotonicRegression

    logits, truth, validation = drawn(300, slope=1)
    logits[:40] = np.round(logits[:40])
    choice = choose_calibration("isotonic", logits, truth, "sigmoid", 2, validation)
    served = choice.calibration.probabilities(logits, "sigmoid")[:, 1]
    whole = IsotonicRegression().fit(logits[:, 0], truth).predict(logits[:, 0])
    np.testing.assert_allclose(served, whole.clip(1 / 302, 1 - 1 / 302), rtol=0, atol=1e-12)
    assert (served.min(), served.max()) == (1 / 302, 1 - 1 / 302)
    beyond = choice.calibration.probabilities(np.array([[-1e3], [1e3]]), "sigmoid")[:, 1]
    assert beyond.tolist() == [1 / 302, 1 - 1 / 302]


def test_a_plateau_is_stored_by_its_ends() -> None:
    logits = np.arange(40.0)[:, None]
    truth = np.repeat([0, 1], 20)
    [curve] = choose_calibration("isotonic", logits, truth, "sigmoid", 2, truth == 9).calibration.curves
    assert curve == IsotonicCurve(x=(0, 19, 20, 39), y=(1 / 42, 1 / 42, 41 / 42, 41 / 42))


@pytest.mark.parametrize(
    ("rows", "winner", "loser"),
    [(drawn(300, slope=0.3, seed=1), "sigmoid", "isotonic"), (stepped(4000), "isotonic", "sigmoid")],
    ids=["a few rows of a sigmoid", "many rows of a step"],
)
def test_auto_takes_the_lower_brier_score_on_validation_rows(rows: Any, winner: str, loser: str) -> None:
    logits, truth, validation = rows
    choice = choose_calibration("auto", logits, truth, "sigmoid", 2, validation)
    assert choice.calibration.method == winner
    assert choice.brier[winner] < choice.brier[loser] < choice.brier["none"]
    assert choice.reason.startswith("the lower Brier score on ")
    assert f"{winner} {choice.brier[winner]:.5f}, {loser} {choice.brier[loser]:.5f}, none " in choice.reason
    again = choose_calibration(winner, logits, truth, "sigmoid", 2, validation)
    assert choice.calibration == again.calibration, "the winner is fitted again on all rows"
    rest = choose_calibration(
        winner, logits[~validation], truth[~validation], "sigmoid", 2, validation[~validation]
    )
    held = rest.calibration.probabilities(logits[validation], "sigmoid")
    assert choice.brier[winner] == brier_score(held, truth[validation])


def test_more_than_two_labels_are_calibrated_each_and_better_than_before() -> None:
    logits, truth, validation = three(3000)
    choice = choose_calibration("auto", logits, truth, "softmax", 3, validation)
    assert len(choice.calibration.curves) == 3
    assert choice.brier[choice.calibration.method] < choice.brier["none"] - 0.02
    assert choice.calibration.fits(3)
    assert not choice.calibration.fits(2)


def test_the_brier_score_is_of_one_label_of_two_and_of_all_of_more() -> None:
    assert brier_score(np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([1, 0])) == pytest.approx(
        (0.04 + 0.25) / 2
    )
    assert brier_score(np.array([[0.2, 0.5, 0.3]]), np.array([1])) == pytest.approx(0.04 + 0.25 + 0.09)


def test_a_task_that_asks_for_none_gets_none() -> None:
    logits, truth, validation = drawn(100, slope=1)
    choice = choose_calibration("none", logits, truth, "sigmoid", 2, validation)
    assert choice == (Calibration(), {}, "the task asks for none")


@pytest.mark.parametrize("method", ["auto", "sigmoid", "isotonic"])
@pytest.mark.parametrize("logits", [-drawn(300, slope=2)[0], np.ones((300, 1))], ids=["falling", "all equal"])
def test_scores_that_do_not_rise_with_the_label_are_refused_aloud(method: Any, logits: Any) -> None:
    _, truth, validation = drawn(300, slope=2)
    choice = choose_calibration(method, logits, truth, "sigmoid", 2, validation)
    assert choice.calibration == Calibration()
    refused = ["sigmoid", "isotonic"] if method == "auto" else [method]
    assert choice.reason.startswith("not calibrated; ")
    assert all(f"{name} is refused" in choice.reason for name in refused)
    assert choice.reason.count("the scores do not rise with the label") == len(refused)


def test_a_refused_curve_names_its_label_and_leaves_the_other_method() -> None:
    logits, truth, validation = three(600)
    logits[:, 2] = np.where(truth == 2, logits[:, 2] - 30, logits[:, 2])
    # Scores of the third label fall almost everywhere, but for a few rows far on top.
    logits[np.flatnonzero(truth == 2)[:60], 2] += 45
    choice = choose_calibration("auto", logits, truth, "softmax", 3, validation)
    assert choice.calibration.method == "isotonic"
    assert choice.reason.startswith("the only Brier score on ")
    assert "sigmoid is refused: of label 3 of 3, its slope is not positive" in choice.reason


@pytest.mark.parametrize("method", ["auto", "sigmoid", "isotonic"])
def test_too_few_rows_of_a_label_leave_the_model_as_it_is(method: Any) -> None:
    logits = np.arange(40.0)[:, None]
    truth = np.array([0] * 31 + [1] * 9)
    choice = choose_calibration(method, logits, truth, "sigmoid", 2, np.arange(40) % 10 == 0)
    assert choice.calibration == Calibration()
    assert "label 2 of 2 has " in choice.reason
    assert "fewer than 10" in choice.reason


def test_ten_rows_of_a_label_are_enough() -> None:
    logits = np.arange(40.0)[:, None]
    truth = np.array([0] * 30 + [1] * 10)
    choice = choose_calibration("sigmoid", logits, truth, "sigmoid", 2, np.zeros(40, dtype=bool))
    assert choice.calibration.method == "sigmoid"
    assert choice.brier == {}


def test_no_row_at_all_leaves_the_model_as_it_is() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    choice = choose_calibration("auto", np.zeros((0, 1)), nothing, "sigmoid", 2, nothing > 0)
    assert choice.calibration == Calibration()
    assert "label 1 of 2 has 0 rows" in choice.reason


@pytest.mark.parametrize("side", ["in", "outside"])
def test_auto_wants_every_label_on_both_sides(side: str) -> None:
    logits, truth, _ = drawn(200, slope=1)
    lone = (truth == 0) & (np.arange(200) % 2 == 0)
    validation = lone if side == "in" else ~lone
    choice = choose_calibration("auto", logits, truth, "sigmoid", 2, validation)
    assert choice.calibration == Calibration()
    assert choice.reason.startswith(f"not calibrated; {side} the validation rows, label 2 of 2 has 0 rows")
    assert choice.brier.keys() == {"none"}


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_is_named(strange: float) -> None:
    logits, truth, validation = drawn(100, slope=1)
    logits[7] = strange
    with pytest.raises(DataError, match=r"row 7 is .*not finite") as caught:
        choose_calibration("auto", logits, truth, "sigmoid", 2, validation)
    assert caught.value.data["row"] == 7


def test_rows_that_do_not_belong_together_are_refused() -> None:
    logits, truth, validation = drawn(100, slope=1)
    with pytest.raises(DataError, match="there are 100, 99 and 100"):
        choose_calibration("auto", logits, truth[:99], "sigmoid", 2, validation)


@pytest.mark.parametrize(("method", "module"), [("sigmoid", "linear_model"), ("isotonic", "isotonic")])
def test_fitting_without_scikit_learn_names_the_extra(
    method: Any, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"sklearn.{module}", None)
    logits, truth, validation = drawn(100, slope=1)
    with pytest.raises(MissingExtra, match=r"assay\[train\]"):
        choose_calibration(method, logits, truth, "sigmoid", 2, validation)


@pytest.mark.parametrize("calibration", [three(900), drawn(900, slope=1)], ids=["three labels", "two"])
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_calibration_survives_json_to_the_last_digit(method: Any, calibration: Any) -> None:
    logits, truth, validation = calibration
    link, labels = ("softmax", 3) if logits.shape[1] == 3 else ("sigmoid", 2)
    before = choose_calibration(method, logits, truth, link, labels, validation).calibration
    after = Calibration.model_validate_json(before.model_dump_json())
    assert after == before
    assert (after.probabilities(logits, link) == before.probabilities(logits, link)).all()


@pytest.mark.parametrize(
    "stored",
    [
        '{"method": "sigmoid", "curves": []}',
        '{"method": "none", "curves": [{"slope": 1, "intercept": 0}]}',
        '{"method": "isotonic", "curves": [{"slope": 1, "intercept": 0}]}',
        '{"method": "sigmoid", "curves": [{"slope": 1, "intercept": 0}, {"slope": 1, "intercept": 0}]}',
        '{"method": "sigmoid", "curves": [{"slope": 0, "intercept": 0}]}',
        '{"method": "sigmoid", "curves": [{"slope": NaN, "intercept": 0}]}',
        '{"method": "sigmoid", "curves": [{"slope": 1, "intercept": Infinity}]}',
        '{"method": "sigmoid", "curves": [{"slope": 1}]}',
        '{"method": "isotonic", "curves": [{"x": [0], "y": [0.5]}]}',
        '{"method": "isotonic", "curves": [{"x": [0, 1, 2], "y": [0.5, 0.6]}]}',
        '{"method": "isotonic", "curves": [{"x": [0, 0], "y": [0.5, 0.6]}]}',
        '{"method": "isotonic", "curves": [{"x": [1, 0], "y": [0.5, 0.6]}]}',
        '{"method": "isotonic", "curves": [{"x": [0, 1], "y": [0.6, 0.5]}]}',
        '{"method": "isotonic", "curves": [{"x": [0, 1], "y": [0.5, 1.0]}]}',
        '{"method": "isotonic", "curves": [{"x": [0, 1], "y": [0.0, 0.5]}]}',
        '{"method": "isotonic", "curves": [{"x": [0, Infinity], "y": [0.5, 0.6]}]}',
        '{"method": "platt", "curves": []}',
    ],
)
def test_a_stored_calibration_that_is_inconsistent_is_refused(stored: str) -> None:
    with pytest.raises(ValidationError):
        Calibration.model_validate_json(stored)
