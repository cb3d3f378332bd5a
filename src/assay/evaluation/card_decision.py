"""The part of a model card that says how it decides: rules, operating point, and what its scores mean."""

from collections.abc import Iterator

from assay.evaluation.confirmation import ChosenPoint
from assay.evaluation.decided_by import DecidedBy
from assay.evaluation.markdown import code, plain, table
from assay.evaluation.reliability import Reliability
from assay.evaluation.report import Report

MEANINGS = {
    "none": "The model's probabilities are served as they are.",
    "sigmoid": "The model's probabilities are calibrated by a sigmoid curve.",
    "isotonic": "The model's probabilities are calibrated by a rising step curve (isotonic regression).",
}


def answer(report: Report) -> Iterator[str]:
    """Yield what the cascade decides, and by which threshold."""
    labels = [code(label) for label in report.labels]
    choice = " or ".join(labels) if report.binary else "one of " + ", ".join(labels)
    yield f"For each text it decides: {choice}."
    if report.decided_by and report.decided_by.by_rule:
        yield "A rule that fires decides; the model decides the rest."
    if report.threshold is not None:
        yield (
            f"It answers {code(report.positive)} when the probability of that label is "
            f"{report.threshold:.4g} or more."
        )
    elif report.thresholds:
        told = ", ".join(f"{code(label)} {value:.4g}" for label, value in report.thresholds.items())
        yield f"It answers the label whose probability is the largest multiple of its threshold: {told}."
    else:
        yield "It answers the label with the highest probability."


def operating_point(found: ChosenPoint | None) -> Iterator[str]:
    """Yield the goal and whether it holds on the held-out rows; nothing where none was chosen."""
    if found is None:
        return
    yield "## Operating point"
    yield ""
    yield "Chosen on training rows by scores of models that did not see them; checked on the held-out rows."
    yield ""
    yield from (f"- {plain(line)}" for line in found.lines())


def what_decided(found: DecidedBy | None) -> Iterator[str]:
    """Yield how many rows rules and model decided, and how well; nothing without deciding rules."""
    if found is None or not found.by_rule:
        return
    yield "## What decided"
    yield ""
    rows = [
        ("rules", f"{found.rules:,}", str(found.rules_right)),
        ("model", f"{found.model:,}", str(found.model_right)),
    ]
    yield from table(("Decided by", "Rows", "Share that is right"), rows, "lrr")
    fired = {rule: rows for rule, rows in found.by_rule.items() if rows.rows}
    if fired:
        yield ""
        cells = [(code(rule), f"{rows.rows:,}", f"{rows.right:,}") for rule, rows in fired.items()]
        yield from table(("Rule", "Rows", "Right"), cells, "lrr")
    if silent := len(found.by_rule) - len(fired):
        yield ""
        yield f"Deciding rules that decided none of these rows: {silent}."


def calibration(found: Reliability | None) -> Iterator[str]:
    """Yield how far the scores can be taken at their word; nothing in a report that did not measure it."""
    if found is None:
        return
    yield "## What the scores mean"
    yield ""
    if found.brier.value is None:
        yield f"Undefined: {plain(found.brier.reason)}."
        return
    yield (
        f"{MEANINGS.get(found.method, '')} On the {found.rows:,} rows that the model decided "
        f"({plain(found.event[:1].lower() + found.event[1:])}):"
    )
    yield ""
    yield f"- Brier score {found.brier}: mean squared distance between probability and truth; 0 is perfect."
    yield (
        f"- Expected calibration error {found.ece}: how far stated probability and observed share lie apart, "
        f"on average over {len(found.bins)} bins of about equally many rows."
    )
    if found.ece_by_chance is not None:
        yield f"- Exactly true probabilities would show an error of {found.ece_by_chance:.4f} by chance."
    yield ""
    yield "![Stated and observed](plots/reliability.png)"
