"""What the sentences of checks have in common: names of metrics and versions, and numbers."""

from fractions import Fraction

from assay.config import Compared
from assay.evaluation import Interval, Report

NAMES: dict[Compared, str] = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
}


def metric_name(metric: Compared, report: Report) -> str:
    """Return a headline metric as a report means it: of its positive label, or the mean over many."""
    name = NAMES[metric]
    if metric == "accuracy":
        return name
    return f"{name} of {report.positive!r}" if report.binary else f"macro {name}"


def opening(text: str) -> str:
    """Return a text with a capital first letter, as a sentence opens."""
    return text[:1].upper() + text[1:]


def in_production(version: str) -> str:
    """Return the name of the version in production."""
    return f"version {version} in production" if version else "the version in production"


def gate_again(report: Report) -> str:
    """Return the command that judges a version anew."""
    return f"assay gate {report.task} {report.version or 'VERSION'}"


def exact(value: float) -> Fraction:
    """Return the decimal that people read for a number, so that 0.94 reaches 0.95 less 0.01."""
    return Fraction(repr(value))


def shown(value: float, *, against: float, digits: int = 4) -> str:
    """Return a number in as many digits as it takes to see on which side of another it lies."""
    for places in range(digits, 17):
        if value == against or f"{value:.{places}f}" != f"{against:.{places}f}":
            return f"{value:.{places}f}"
    return repr(value)


def with_interval(report: Report, metric: Interval, *, against: float) -> str:
    """Return a metric with its interval."""
    value = shown(metric.value or 0.0, against=against)
    if metric.low is None or metric.high is None:
        return value
    return f"{value} ({100 * report.confidence:g} % interval {metric.low:.4f} to {metric.high:.4f})"


def share(part: Fraction | float) -> str:
    """Return a share in percent."""
    return f"{100 * float(part):.4g} %"
