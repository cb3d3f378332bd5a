"""Passed or blocked, with every reason, as one value that survives JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import ValidationError, model_validator

from assay.config import GatePolicy, MustPass, faults
from assay.evaluation import PairedComparison
from assay.exceptions import ArtifactError
from assay.frozen import Frozen
from assay.gate.check import Check
from assay.gate.slices import SliceComparison


class Unjudged(Frozen):
    """The version in production, where it could not be scored on the rows."""

    version: str
    reason: str
    """Part of a sentence that says why: its artifact is damaged or gone, it has other labels."""


def terms_of(policy: GatePolicy, must_pass: Sequence[MustPass]) -> dict[str, Any]:
    """Return all that a task's file asks of a version, as plain JSON values: equal ones ask the same."""
    asked = policy.model_dump(mode="json")
    return asked | {"must_pass": [case.model_dump() for case in must_pass]} if must_pass else asked


class GateDecision(Frozen):
    """Passed or blocked, the policy and every check behind it, and the rows that both were judged on."""

    passed: bool
    checks: tuple[Check, ...]
    policy: GatePolicy
    must_pass: tuple[MustPass, ...] = ()
    """The texts that had to be decided rightly."""
    rows_fingerprint: str
    candidate_version: str
    candidate_digest: str
    champion_version: str | None
    """None when no version was in production."""
    comparison: PairedComparison | None = None
    """Both versions row by row, that in production first; None where they could not be paired."""
    slices: tuple[SliceComparison, ...] = ()
    """The same within each slice that the policy asks for."""

    @model_validator(mode="after")
    def _follows_from_checks(self) -> Self:
        if self.passed != (bool(self.checks) and all(check.passed for check in self.checks)):
            raise ValueError("passed must say whether there are checks and all of them passed")
        return self

    def terms(self) -> dict[str, Any]:
        """Return what was asked, as ``terms_of`` does."""
        return terms_of(self.policy, self.must_pass)

    def reasons(self) -> list[str]:
        """Return the sentences of the checks that failed; empty when passed."""
        return [check.sentence for check in self.checks if not check.passed]

    def lines(self) -> list[str]:
        """Return the decision for people: the outcome, then each check on a line."""
        checks = [f"  {'ok  ' if check.passed else 'FAIL'}  {check.sentence}" for check in self.checks]
        return [f"Gate {'passed' if self.passed else 'blocked'}", *checks]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; ``from_dict`` gives an equal decision back."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the decision that ``to_dict`` described.

        Raises ArtifactError for unknown keys, values that do not fit, or an outcome that contradicts its
        checks.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ArtifactError(
                f"This is not a usable gate decision; run the gate again:\n{faults(error)}"
            ) from error
