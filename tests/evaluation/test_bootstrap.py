import numpy as np
import pytest

from assay.estimators import draw_bounds
from assay.evaluation import bootstrap, metrics
from assay.evaluation.bootstrap import resample_areas, resample_cells, resample_weights
from assay.evaluation.ranking import Ranking
from assay.progress import Progress

CELLS = np.array([[700, 60], [40, 200]])


def test_cells_of_a_resample_keep_the_number_of_rows() -> None:
    drawn = resample_cells(CELLS, 300, np.random.default_rng(0))
    assert drawn.shape == (300, 2, 2)
    assert (drawn.sum(axis=(1, 2)) == CELLS.sum()).all()


def test_empty_cells_stay_empty() -> None:
    cells = np.array([[7, 0], [3, 0]])
    assert resample_cells(cells, 300, np.random.default_rng(0))[:, :, 1].sum() == 0
    assert resample_cells(0 * cells, 5, np.random.default_rng(0)).sum() == 0


def test_cells_spread_as_resampled_rows_do() -> None:
    """The multinomial law of the cells is the row bootstrap, without rows."""
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 0, 1, 1], CELLS.ravel())
    decided = np.repeat([0, 1, 0, 1], CELLS.ravel())
    picked = rng.integers(0, len(truth), (2000, len(truth)))
    by_rows = [metrics.f1(metrics.confusion_cells(truth[p], decided[p], 2))[1] for p in picked]
    by_cells = metrics.f1(resample_cells(CELLS, 2000, rng))[:, 1]
    assert by_cells.mean() == pytest.approx(np.mean(by_rows), abs=0.002)
    assert by_cells.std() == pytest.approx(np.std(by_rows), rel=0.1)


def test_weights_come_in_chunks_that_draw_every_row_once_on_average(monkeypatch) -> None:
    monkeypatch.setattr(bootstrap, "CHUNK_WEIGHTS", 100)
    chunks = list(resample_weights(30, 1000, np.random.default_rng(0)))
    assert {len(chunk) for chunk in chunks} == {3, 1}
    weights = np.concatenate(chunks)
    assert weights.shape == (1000, 30)
    assert (weights.sum(axis=1) == 30).all()
    assert weights.mean(axis=0) == pytest.approx(1, abs=0.15)
    assert weights.var() == pytest.approx(29 / 30, rel=0.05)


def test_a_chunk_is_small_whatever_the_number_of_rows() -> None:
    chunk = next(resample_weights(25_000, 1000, np.random.default_rng(0)))
    assert chunk.nbytes <= 8 * bootstrap.CHUNK_WEIGHTS


def test_all_labels_see_the_same_resample() -> None:
    """Two labels rank each other in reverse, so their ROC areas are equal draw by draw."""
    rng = np.random.default_rng(0)
    member, scores = rng.random(80) < 0.4, rng.random(80)
    pair = [Ranking(member, scores), Ranking(~member, 1 - scores)]
    with Progress(quiet=True).bar("draw", 60) as bar:
        roc_auc, _ = resample_areas(pair, 80, 60, rng, bar)
    assert bar.done == 60
    assert roc_auc[:, 0] == pytest.approx(roc_auc[:, 1], abs=1e-12)
    assert len(set(roc_auc[:, 0])) > 30


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        cells = rng.multinomial(400, [0.5, 0.1, 0.1, 0.3]).reshape(2, 2)
        low, high = draw_bounds(metrics.accuracy(resample_cells(cells, 400, rng))) or (1, 0)
        covered += low <= 0.8 <= high
    assert 0.90 <= covered / 200 <= 0.99
