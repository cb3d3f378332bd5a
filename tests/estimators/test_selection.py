from pathlib import Path

import numpy as np
import pytest

from assay.estimators.selection import first_rule, measure_rules, ruled_labels, select
from assay.exceptions import GoalError
from tests.conftest import make_task
from tests.rulesets import small_rules

TEXTS = ["mum is home, a prize to claim", "a prize to claim", "F.r.e.e offer", "urgent", "nothing here"]


def test_the_first_rule_that_fires_decides() -> None:
    hits = np.array([[False, True, True], [True, False, True], [False, False, False]])
    assert first_rule(hits).tolist() == [1, 0, -1]
    assert first_rule(np.zeros((3, 0), bool)).tolist() == [-1, -1, -1]


def test_evidence_decides_nothing(tmp_path: Path) -> None:
    rules = small_rules(tmp_path)
    assert ruled_labels(rules, ("ham", "spam"), rules.hits(TEXTS)).tolist() == [0, 1, 1, -1, -1]
    assert ruled_labels(rules, ("spam", "ham"), rules.hits(TEXTS)).tolist() == [1, 0, 0, -1, -1]


def test_a_rule_is_measured_wherever_it_fires(tmp_path: Path) -> None:
    rules = small_rules(tmp_path)
    measures = measure_rules(rules, ("ham", "spam"), rules.hits(TEXTS), np.array([0, 1, 1, 1, 0]))
    assert {name: (each.hits, each.right) for name, each in measures.items()} == {
        "family": (1, 1),
        "prize-claim": (2, 1),
        "spelled-free": (1, 1),
    }


def test_without_scores_only_a_fixed_threshold_can_be_had() -> None:
    task = make_task("spam", ["ham", "spam"], threshold={"value": 0.7})
    point, selection = select(task, "sigmoid", None)
    assert (point.threshold, point.calibration.method, selection.held_out) == (0.7, "none", None)
    with pytest.raises(GoalError, match="recall"):
        select(make_task("spam", ["ham", "spam"], threshold={"goal": "recall >= 0.9"}), "sigmoid", None)
