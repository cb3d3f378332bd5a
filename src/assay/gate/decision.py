"""Policy + the reports of candidate and production version -> passed or blocked, with reasons."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, ValidationError, model_validator

from assay.config import Frozen, GatePolicy, faults
from assay.evaluation import Interval, Report
from assay.exceptions import ArtifactError

CheckName = Literal["rows", "accuracy", "f1", "labels", "same_rows", "f1_production"]


class Check(Frozen):
    """One thing that a candidate must show: observed, required, and a sentence for people."""

    model_config = ConfigDict(allow_inf_nan=False)

    name: CheckName
    observed: int | float | str | None
    required: int | float | str | None
    passed: bool
    sentence: str


class GateDecision(Frozen):
    """Passed or blocked, every check behind it, and the rows that both reports were made on."""

    passed: bool
    checks: tuple[Check, ...]
    rows_fingerprint: str
    candidate_version: str
    candidate_digest: str
    champion_version: str | None
    """None when no version was in production."""

    @model_validator(mode="after")
    def _follows_from_checks(self) -> Self:
        if self.passed != (bool(self.checks) and all(check.passed for check in self.checks)):
            raise ValueError("passed must say whether there are checks and all of them passed")
        return self

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


def decide_gate(policy: GatePolicy, candidate: Report, champion: Report | None) -> GateDecision:
    """Return whether a candidate may ship.

    F1 and accuracy must reach the policy's floors. With a version in production, both reports must be of
    the same labels and rows, and the candidate's F1 must not be lower. An undefined metric never passes.
    Numbers are compared exactly: the same decisions on the same rows give the same number.

    Parameters
    ----------
    policy : the floors
    candidate : report of the version that wants to ship
    champion : report of the version in production on the same rows; None when there is none
    """
    checks = [
        _has_rows(candidate),
        _floor("accuracy", "Accuracy", candidate, policy.min_accuracy),
        _floor("f1", _f1_name(candidate), candidate, policy.min_f1),
    ]
    if champion is not None:
        comparable = [_same_labels(candidate, champion), _same_rows(candidate, champion)]
        checks += comparable
        if all(check.passed for check in comparable):
            checks.append(_not_lower(candidate, champion))
    return GateDecision(
        passed=all(check.passed for check in checks),
        checks=tuple(checks),
        rows_fingerprint=candidate.rows_fingerprint,
        candidate_version=candidate.version,
        candidate_digest=candidate.digest,
        champion_version=champion.version if champion else None,
    )


def _has_rows(candidate: Report) -> Check:
    passed = candidate.rows > 0
    sentence = f"The metrics come from {candidate.rows:,} held-out rows."
    if not passed:
        sentence = (
            "There are no held-out rows to judge by; at least 1 is needed. "
            "Give the task more rows or a larger test share."
        )
    return Check(name="rows", observed=candidate.rows, required=1, passed=passed, sentence=sentence)


def _floor(name: Literal["accuracy", "f1"], title: str, candidate: Report, floor: float) -> Check:
    metric = candidate.metrics[name]
    if metric.value is None:
        passed = False
        sentence = f"{title} is undefined ({metric.reason}), so it does not reach the floor of {floor}."
    else:
        passed = metric.value >= floor
        shown = _shown(candidate, metric, against=floor)
        sentence = f"{title} is {shown} and {'reaches' if passed else 'is below'} the floor of {floor}."
    return Check(name=name, observed=metric.value, required=floor, passed=passed, sentence=sentence)


def _same_labels(candidate: Report, champion: Report) -> Check:
    observed, required = _labels(candidate), _labels(champion)
    passed = observed == required
    sentence = f"Both versions decide between the same labels: {observed}."
    if not passed:
        sentence = (
            f"The candidate decides between {observed}, the version in production between {required}: "
            "one F1 says nothing of the other. Give the task another name, or promote with an override."
        )
    return Check(name="labels", observed=observed, required=required, passed=passed, sentence=sentence)


def _same_rows(candidate: Report, champion: Report) -> Check:
    observed, required = candidate.rows_fingerprint, champion.rows_fingerprint
    passed = observed == required
    sentence = f"Both versions were judged on the same rows (fingerprint {observed[:12]})."
    if not passed:
        sentence = (
            f"The candidate was judged on the rows {observed[:12]}, the version in production on "
            f"{required[:12]}: one F1 says nothing of the other. Evaluate both on the same rows."
        )
    return Check(name="same_rows", observed=observed, required=required, passed=passed, sentence=sentence)


def _not_lower(candidate: Report, champion: Report) -> Check:
    ours, theirs = candidate.metrics["f1"], champion.metrics["f1"]
    title = _f1_name(candidate)
    other = f"version {champion.version} in production" if champion.version else "the version in production"
    if ours.value is None or theirs.value is None:
        passed = False
        whose = "the candidate" if ours.value is None else other
        sentence = f"{title} of {whose} is undefined ({ours.reason or theirs.reason}): nothing to compare."
    else:
        passed = ours.value >= theirs.value
        verdict = "equals" if ours.value == theirs.value else "is higher than" if passed else "is lower than"
        sentence = (
            f"{title} is {_shown(candidate, ours, against=theirs.value)}; this {verdict} the "
            f"{_shown(champion, theirs, against=ours.value)} of {other}."
        )
    return Check(
        name="f1_production", observed=ours.value, required=theirs.value, passed=passed, sentence=sentence
    )


def _f1_name(report: Report) -> str:
    return f"F1 of {report.positive!r}" if report.binary else "Macro F1"


def _labels(report: Report) -> str:
    listed = ", ".join(sorted(map(repr, report.labels)))
    return f"{listed} (positive: {report.positive!r})" if report.binary else listed


def _shown(report: Report, metric: Interval, *, against: float) -> str:
    """Return a metric with its interval, in as many digits as it takes to see on which side it lies."""
    value = metric.value or 0.0
    digits = next((d for d in range(4, 17) if value == against or f"{value:.{d}f}" != f"{against:.{d}f}"), 17)
    if metric.low is None or metric.high is None:
        return f"{value:.{digits}f}"
    level = f"{100 * report.confidence:g} % interval"
    return f"{value:.{digits}f} ({level} {metric.low:.4f} to {metric.high:.4f})"
