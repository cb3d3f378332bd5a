import json
from typing import Any

import pytest

from assay.config import GatePolicy
from assay.exceptions import ArtifactError
from assay.gate import GateDecision, decide_gate
from tests.gate.reports import given, report_on

BASE = report_on(*given(80, 20, 10, 90), leakage=None)
OPEN = GatePolicy(min_f1=0)


def test_lines_tell_the_outcome_first() -> None:
    lines = decide_gate(GatePolicy(min_f1=0.99), BASE, None).lines()
    assert lines[0] == "Gate blocked"
    assert [line[:8] for line in lines[1:]] == ["  ok    ", "  ok    ", "  FAIL  "]
    assert decide_gate(OPEN, BASE, None).lines()[0] == "Gate passed"


@pytest.mark.parametrize("floor", [0.0, 0.99])
def test_a_decision_survives_json(floor: float) -> None:
    policy = GatePolicy(min_f1=floor, max_regression=0.1 + 0.2, slices=("length",))
    decision = decide_gate(policy, BASE, BASE)
    assert GateDecision.from_dict(json.loads(json.dumps(decision.to_dict(), allow_nan=False))) == decision


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"passed": True}, "passed must say whether there are checks and all of them passed"),
        ({"passed": True, "checks": []}, "passed must say whether there are checks"),
        ({"surprise": 1}, "surprise: is not a key that exists here"),
        ({"rows_fingerprint": None}, "rows_fingerprint: "),
    ],
)
def test_a_decision_that_contradicts_itself_is_refused(change: dict[str, Any], message: str) -> None:
    blocked = decide_gate(GatePolicy(min_f1=0.99), BASE, None).to_dict()
    with pytest.raises(ArtifactError, match=message):
        GateDecision.from_dict(blocked | change)
