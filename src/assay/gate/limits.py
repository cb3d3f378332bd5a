"""Limits: how untrue the probabilities may be, and what a version may cost."""

from collections.abc import Iterator
from typing import NamedTuple

from assay.config import GatePolicy
from assay.evaluation import Interval, Report
from assay.gate.check import Check
from assay.gate.sentences import exact, gate_again, opening, shown

UNMEASURED = "it was not measured"


class _Limit(NamedTuple):
    """A limit, the figure that it is for, and why there is none."""

    name: str
    title: str
    key: str
    limit: float | None
    figure: float | None
    missing: str
    unit: str = ""


def check_limits(policy: GatePolicy, report: Report) -> Iterator[Check]:
    """Yield whether calibration errors and costs keep within the limits that the policy sets.

    A figure that the report lacks does not.
    """
    for each in (*_calibration(policy, report), *_cost(policy, report)):
        if each.limit is not None:
            yield _within(each, each.limit, report)


def _calibration(policy: GatePolicy, report: Report) -> Iterator[_Limit]:
    nothing = Interval(value=None, reason=UNMEASURED)
    found = report.calibration
    brier, ece = (found.brier, found.ece) if found else (nothing, nothing)
    yield _Limit("brier", "the Brier score", "max_brier", policy.max_brier, brier.value, brier.reason)
    yield _Limit("ece", "the calibration error", "max_ece", policy.max_ece, ece.value, ece.reason)


def _cost(policy: GatePolicy, report: Report) -> Iterator[_Limit]:
    cost = report.cost
    latency, memory, size = (cost.p99_ms, cost.memory_mb, cost.size_mb) if cost else (None, None, None)
    timed = "there were no texts to time" if cost else UNMEASURED
    told = "this system does not tell it" if cost else UNMEASURED
    yield _Limit(
        "latency",
        "latency (99 of 100 single texts)",
        "max_latency_ms",
        policy.max_latency_ms,
        latency,
        timed,
        " ms",
    )
    yield _Limit("memory", "memory", "max_memory_mb", policy.max_memory_mb, memory, told, " MB")
    yield _Limit("size", "size", "max_size_mb", policy.max_size_mb, size, UNMEASURED, " MB")


def _within(each: _Limit, limit: float, report: Report) -> Check:
    if each.figure is None:
        passed = False
        sentence = (
            f"{opening(each.title)} is unknown ({each.missing}), so the limit of {limit:g}{each.unit} cannot "
            f"be checked. Measure it on this machine ({gate_again(report)}), or leave gate.{each.key} out."
        )
    else:
        passed = exact(each.figure) <= exact(limit)
        verdict = "within" if passed else "above"
        value = shown(each.figure, against=limit, digits=1 if each.unit else 4)
        sentence = (
            f"{opening(each.title)} is {value}{each.unit}, {verdict} the limit of {limit:g}{each.unit}."
        )
    return Check(name=each.name, observed=each.figure, required=limit, passed=passed, sentence=sentence)
