import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.evaluation.curves import MAX_POINTS, curve_of, thin
from assay.evaluation.ranking import Ranking
from tests.evaluation.made_up import random_report, report_of


def area_under(points: tuple[tuple[float, float], ...]) -> float:
    x, y = np.array(points).T
    return float(np.trapezoid(y, x))


@pytest.mark.parametrize("rows", [3, 100, 20_000])
def test_a_thinned_curve_keeps_its_ends_and_its_area(rows: int) -> None:
    rng = np.random.default_rng(0)
    member = np.arange(rows) % 3 == 0
    ranking = Ranking(member, rng.random(rows) + 0.4 * member)
    curve = curve_of(ranking)
    roc_auc, average_precision = ranking.areas()
    assert len(curve.roc) <= MAX_POINTS
    assert len(curve.precision_recall) <= MAX_POINTS
    assert (curve.roc[0], curve.roc[-1]) == ((0, 0), (1, 1))
    assert (curve.precision_recall[0][0], curve.precision_recall[-1][0]) == (0, 1)
    assert area_under(curve.roc) == pytest.approx(roc_auc[0], abs=0.002)
    if rows > 1000:
        assert area_under(curve.precision_recall) == pytest.approx(average_precision[0], abs=0.005)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=500), st.integers(2, 50))
def test_thin_gives_points_of_the_line_in_their_order(points: list[tuple[float, float]], most: int) -> None:
    x, y = np.array(points).T
    given_points = list(zip(x.round(6).tolist(), y.round(6).tolist(), strict=True))
    kept = thin(x, y, most)
    assert len(kept) <= most or len(kept) <= len(points) <= most
    assert kept[0] == given_points[0]
    left = iter(given_points)
    assert all(point in left for point in kept)


def test_thin_leaves_out_points_between_corners_only() -> None:
    assert thin(np.array([0, 0, 0, 0.5, 1]), np.array([0, 0.5, 1, 1, 1])) == ((0, 0), (0, 1), (1, 1))


def test_curves_are_empty_where_one_side_has_no_rows() -> None:
    curve = curve_of(Ranking(np.array([True, True]), np.array([0.1, 0.2])))
    assert (curve.roc, curve.precision_recall) == ((), ())


def test_histogram_counts_every_row_once_by_true_label() -> None:
    report = report_of(["ham", "spam", "spam"], [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert {label: sum(counts) for label, counts in report.scores.counts.items()} == {"ham": 1, "spam": 2}
    assert report.scores.counts["ham"][0] == 1
    assert report.scores.counts["spam"][-1] == 1
    assert report.scores.of == "Probability of spam"


def test_histogram_of_more_labels_tells_right_from_wrong() -> None:
    report = random_report(200, ["a", "b", "c"])
    right = sum(report.confusion[number][number] for number in range(3))
    assert sum(report.scores.counts["right"]) == right
    assert sum(report.scores.counts["wrong"]) == 200 - right
