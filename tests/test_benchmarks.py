"""The programs that measure: their arithmetic, and that the documentation quotes their results."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from assay.datasets import Rows
from benchmarks import figures
from benchmarks.intervals import exact_interval, share
from benchmarks.quality import above_all_ham, outcomes
from tests.contracts.sources import ROOT


@pytest.mark.parametrize(("hits", "trials"), [(1, 10), (5, 10), (9, 10), (1, 1000), (480, 650)])
def test_exact_intervals_leave_a_fortieth_in_each_tail(hits: int, trials: int) -> None:
    low, high = exact_interval(hits, trials)
    assert binom.sf(hits - 1, trials, low) == pytest.approx(0.025)
    assert binom.cdf(hits, trials, high) == pytest.approx(0.025)


def test_exact_intervals_of_none_and_all_have_one_tail() -> None:
    reach = 1 - 0.025 ** (1 / 10)
    assert exact_interval(0, 10) == pytest.approx((0.0, reach))
    assert exact_interval(10, 10) == pytest.approx((1 - reach, 1.0))


@pytest.mark.parametrize(("hits", "trials"), [(-1, 10), (11, 10), (0, 0)])
def test_impossible_counts_are_refused(hits: int, trials: int) -> None:
    with pytest.raises(ValueError, match=f"got {hits} of {trials}"):
        exact_interval(hits, trials)


def test_a_share_holds_its_counts() -> None:
    assert share(1, 4) | {"low": 0, "high": 0} == {"hits": 1, "of": 4, "share": 0.25, "low": 0, "high": 0}


def test_the_careful_threshold_is_the_lowest_that_blocks_no_ham() -> None:
    rows = Rows(texts=["a", "b", "c", "d"], labels=["ham", "spam", "ham", "spam"])
    probabilities = np.array([0.1, 0.7, 0.7, 0.9])
    threshold = above_all_ham(probabilities, rows)
    assert 0.7 < threshold < 0.7 + 1e-12
    assert outcomes(probabilities, rows, threshold) == {
        "ham": 2,
        "spam": 2,
        "ham blocked": 0,
        "spam blocked": 1,
    }


def test_a_text_at_the_threshold_is_blocked() -> None:
    rows = Rows(texts=["a", "b"], labels=["ham", "spam"])
    assert outcomes(np.array([0.5, 0.5]), rows, 0.5) == {
        "ham": 1,
        "spam": 1,
        "ham blocked": 1,
        "spam blocked": 1,
    }


def test_the_page_says_what_the_results_say() -> None:
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in figures.RESULTS.glob("*.json")
    }
    page = figures.PAGE.read_text(encoding="utf-8")
    assert figures.filled(page, results) == page
    assert {name for _, name, _ in figures.MARKED.findall(page)} == set(figures.TABLES)


def test_a_figure_changed_by_hand_is_put_right() -> None:
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in figures.RESULTS.glob("*.json")
    }
    page = figures.PAGE.read_text(encoding="utf-8")
    value = f"{results['quality']['imdb'][0]['accuracy']['value']:.4f}"
    assert figures.filled(page.replace(value, "0.9999"), results) == page


def test_the_models_reach_what_the_documentation_promises() -> None:
    measured = json.loads((figures.RESULTS / "quality.json").read_text(encoding="utf-8"))["imdb"]
    accuracies = {result["estimator"]["weighting"]: result["accuracy"]["value"] for result in measured}
    assert accuracies["idf"] >= 0.906
    assert accuracies["nb"] >= 0.918


def test_without_shared_data_nothing_is_measured(tmp_path: Path) -> None:
    results = tmp_path / "quality.json"
    command = [sys.executable, "-m", "benchmarks.quality", "--data", str(tmp_path), "--results", str(results)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"Nothing was measured: shared data is absent (there is no {tmp_path})." in done.stderr
    assert not results.exists()
