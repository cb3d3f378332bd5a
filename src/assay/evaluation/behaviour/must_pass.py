"""Cascade + texts of the task file -> what became of each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.config import MustPass
from assay.estimators import fault_of
from assay.evaluation.behaviour.results import MustPassCase

if TYPE_CHECKING:
    from assay.estimators import Cascade, Decision


def check_must_pass(cascade: "Cascade", cases: Sequence[MustPass]) -> tuple[MustPassCase, ...]:
    """Return what the cascade decides for texts whose label is not open to debate, in their order.

    A text that cannot be scored does not pass; ``decided`` says why.
    """
    faults = [fault_of(case.text) for case in cases]
    scored = [case.text for case, fault in zip(cases, faults, strict=True) if fault is None]
    decisions = iter(cascade.decide(scored))
    return tuple(
        _unscored(case, fault) if fault else _case(case, next(decisions))
        for case, fault in zip(cases, faults, strict=True)
    )


def _case(case: MustPass, decision: "Decision") -> MustPassCase:
    return MustPassCase(
        text=case.text,
        label=case.label,
        decided=decision.label,
        decided_by=decision.decided_by,
        confidence=decision.confidence,
        passed=decision.label == case.label,
    )


def _unscored(case: MustPass, fault: str) -> MustPassCase:
    return MustPassCase(
        text=case.text,
        label=case.label,
        decided=f"cannot be scored: it {fault}",
        decided_by="",
        confidence=0.0,
        passed=False,
    )
