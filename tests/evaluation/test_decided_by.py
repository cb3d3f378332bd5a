import numpy as np

from assay.evaluation.decided_by import RuleRows, decided_by

RIGHT = np.array([True, False, True, True, True, False])
RULES = np.array([0, 0, 2, -1, -1, -1])


def test_rows_are_counted_by_what_decided_them() -> None:
    found = decided_by(RIGHT, RULES, ["allow", "silent", "prize"])
    assert (found.rules, found.model, found.share) == (3, 3, 0.5)
    assert found.rules_right.value == found.model_right.value == 2 / 3
    assert found.by_rule == {
        "allow": RuleRows(rows=2, right=1),
        "silent": RuleRows(rows=0, right=0),
        "prize": RuleRows(rows=1, right=1),
    }


def test_a_share_of_few_rows_is_told_with_its_exact_interval() -> None:
    found = decided_by(np.ones(20, bool), np.zeros(20, int), ["allow"])
    assert str(found.rules_right) == "1.0000 (0.8316 to 1.0000)"
    assert found.model_right.reason == "the model decided no row"
    [line] = found.lines()
    assert line.startswith("Rules decided 20 rows (100.0%), right on a share of 1.0000")


def test_a_model_alone_has_nothing_to_say_of_rules() -> None:
    found = decided_by(RIGHT, np.full(6, -1), [])
    assert found.rules_right.reason == "no rule decided a row"
    assert list(found.lines()) == []
    assert found.share == 0.0
