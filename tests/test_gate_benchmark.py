"""The simulations of the gate: made-up versions are what they claim, and the gate itself judges them."""

import json

import numpy as np
import pytest

from assay.config import GatePolicy
from assay.evaluation import compare_cells
from assay.gate import decide_gate
from benchmarks import figures, gate, gate_tables
from benchmarks.pairs import Pair, worst
from tests.gate.reports import report_on


@pytest.mark.parametrize("positives", [0.5, 0.1])
@pytest.mark.parametrize("change", [0.01, 0.0, -0.02, -0.05])
def test_versions_are_as_good_as_they_claim(positives: float, change: float) -> None:
    cells = Pair(positives, 0.9, positives / 10, change).cells()
    assert cells.sum() == pytest.approx(1)
    assert cells[1].sum() == pytest.approx(positives)
    found = compare_cells(np.round(cells * 1e7).astype(np.int64), positive=1, resamples=1)
    assert found.f1.first == pytest.approx(0.9)
    assert found.f1.change.value == pytest.approx(change, abs=1e-6)
    assert found.differ / 1e7 == pytest.approx(positives / 10)
    assert found.precision.first == pytest.approx(found.recall.first)


def test_versions_that_cannot_be_are_refused() -> None:
    pair = Pair(0.5, 0.95, 0.2, 0.01)
    assert not pair.exists()
    with pytest.raises(ValueError, match="no two versions are like"):
        pair.cells()
    assert Pair(0.5, 0.95, 0.2, worst(0.5, 0.2)).exists()


def reports_of(cells: np.ndarray) -> tuple[list[int], list[int], list[int]]:
    """Return truth, production's decisions and the candidate's, of counted rows."""
    rows = np.repeat(np.indices(cells.shape).reshape(3, -1), cells.ravel(), axis=1)
    truth, theirs, ours = rows.tolist()
    return truth, theirs, ours


@pytest.mark.parametrize("rule", gate.POLICIES)
def test_the_simulation_says_what_the_gate_says(rule: str) -> None:
    policy = gate.POLICIES[rule].model_copy(update={"min_f1": 0})
    drawn = Pair(0.3, 0.8, 0.1, -0.03).drawn(150, 8, np.random.default_rng(5))
    verdicts = []
    for cells in drawn:
        truth, theirs, ours = reports_of(cells)
        decision = decide_gate(policy, report_on(truth, ours), report_on(truth, theirs))
        verdicts.append(gate.blocks(policy, cells))
        assert verdicts[-1] is not decision.passed
    assert len(set(verdicts)) == 2 or rule == "significant"


def test_the_simulation_of_slices_says_what_the_gate_says() -> None:
    rng, policy = np.random.default_rng(6), GatePolicy(min_f1=0, slices=("part",))
    for _ in range(4):
        parts = [reports_of(cells) for cells in Pair(0.3, 0.8, 0.1, 0.02).drawn(60, 2, rng)]
        truth, theirs, ours = ([*parts[0][side], *parts[1][side]] for side in range(3))
        groups = {"part": [name for name, part in zip("ab", parts, strict=True) for _ in part[0]]}
        decision = decide_gate(
            policy, report_on(truth, ours, groups=groups), report_on(truth, theirs, groups=groups)
        )
        failed = {check.name for check in decision.checks if not check.passed and check.name != "unseen"}
        for name, part in zip("ab", parts, strict=True):
            cells = np.zeros((2, 2, 2), dtype=np.int64)
            np.add.at(cells, tuple(np.array(part)), 1)
            assert gate.blocks(policy, cells, whole=False) is (f"part: {name}" in failed)


def test_rates_are_counted_over_all_draws() -> None:
    found = gate.blocked(Pair(0.5, 0.9, 0.05, -0.05), 2000, 10)
    assert {name: each["hits"] for name, each in found.items()} == dict.fromkeys(found, 10)
    assert set(gate_tables.RULES) <= set(found)
    better = gate.blocked(Pair(0.5, 0.9, 0.05, 0.05), 2000, 10)
    assert better["point"]["hits"] == better["significant_slices"]["hits"] == 0


def test_the_search_finds_less_where_there_are_more_rows() -> None:
    few, many = (gate.smallest_seen(0.5, 0.8, 0.1, rows, draws=20) for rows in (500, 5000))
    assert few is not None
    assert many is not None
    assert 0 < many < few < 0.1
    assert gate.smallest_seen(0.1, 0.9, 0.002, 500, draws=20) is None


def test_a_search_ends_as_soon_as_the_answer_is_known() -> None:
    pair, draws = Pair(0.5, 0.8, 0.1, -0.03), 20
    policy = gate.POLICIES["significant"]
    for rows in (500, 1000, 2000):
        drawn = pair.drawn(rows, draws, np.random.default_rng(rows))
        hits = sum(gate.blocks(policy, cells) for cells in drawn)
        assert gate.seen(pair, rows, draws) is (hits >= 16)


def test_a_decision_is_timed_on_reports_of_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "TIMED_ROWS", 400)
    monkeypatch.setattr(gate, "REPEATS", 2)
    found = gate.timed(3)
    assert (found["rows"], found["labels"], found["slices"]) == (400, 3, 25)
    assert 0 < found["seconds"]["median"] <= found["seconds"]["worst"]
    assert json.loads(json.dumps(found)) == found


def test_a_rate_that_is_turned_around_keeps_its_interval() -> None:
    pair = {"positives": 0.5, "rows": 500, "change": -0.01}
    rate = {"hits": 200, "of": 1000, "share": 0.2, "low": 0.176, "high": 0.226}
    results = {"gate": {"rates": [{**pair, "blocked": dict.fromkeys(gate_tables.RULES, rate)}]}}
    assert "| 50 % | 500 | -0.01 | 80.0 % (77.4 to 82.4) |" in gate_tables.false_passes(results)
    assert "80.0 %" not in gate_tables.false_blocks(results)


def test_the_gate_is_as_fast_and_as_often_right_as_promised() -> None:
    found = figures.read_results()["gate"]
    assert all(each["seconds"]["median"] < 2 for each in found["speed"])
    assert {each["rows"] for each in found["speed"]} == {25_000}
    equal = [each["blocked"] for each in found["rates"] if each["change"] == 0]
    assert all(0.4 < each["point"]["share"] < 0.75 for each in equal)
    assert all(each["significant"]["share"] < 0.06 for each in equal)
    clear = [each for each in found["rates"] if each["change"] == -0.05 and each["rows"] >= 2000]
    assert all(each["blocked"]["significant"]["share"] > 0.9 for each in clear)
    assert {each["blocked"]["point"]["of"] for each in found["rates"]} == {1000}
