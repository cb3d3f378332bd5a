"""The model card: a report as Markdown that a person reads in two minutes (after Mitchell et al. 2019)."""

import re
from collections.abc import Iterator, Sequence

from assay.evaluation.card_behaviour import behaviour, must_pass
from assay.evaluation.card_cost import cost, quantization, rule_account
from assay.evaluation.card_decision import answer, calibration, operating_point, what_decided
from assay.evaluation.card_origin import data, reproduce, training
from assay.evaluation.card_slices import leakage, slices
from assay.evaluation.intervals import Interval
from assay.evaluation.markdown import code, fence, plain, table
from assay.evaluation.report import Metric, Report

FEW_ROWS = 100
"""A label with fewer held-out rows gets a warning: its intervals are wide."""
MANY_LABELS = 12
"""Labels up to which the confusion matrix fits on a page."""


def render_card(report: Report, *, gate: Sequence[str] = ()) -> str:
    """Return the model card of a report as Markdown.

    Parameters
    ----------
    report : what was found
    gate : the gate's decision, one line each; left out when empty
    """
    sections = (
        _head(report),
        _results(report),
        _gate(gate),
        operating_point(report.operating_point),
        _labels(report),
        _confusion(report),
        slices(report),
        must_pass(report),
        behaviour(report),
        what_decided(report.decided_by),
        rule_account(report),
        calibration(report.calibration),
        quantization(report),
        cost(report),
        data(report),
        leakage(report),
        training(report),
        reproduce(report),
        _limits(report),
    )
    text = "\n\n".join("\n".join(section) for section in sections)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"# {plain(report.model)}{f' version {report.version}' if report.version else ''}"
    yield ""
    if report.description:
        yield f"{plain(report.description)}\n"
    yield from answer(report)
    yield ""
    seen = report.leakage.seen if report.leakage else None
    known = {None: "held-out rows", 0: "rows that it was not trained on"}
    rows = known.get(seen, f"rows, {seen} of which it was trained on, so that its figures flatter it")
    yield f"Task {code(report.task)}, evaluated on {report.rows:,} {rows}, {report.created_at:%-d %B %Y}."


def _results(report: Report) -> Iterator[str]:
    yield "## Results"
    yield ""
    metrics = report.metrics
    named = list(_named(report))
    interval = f"{100 * report.confidence:g} % interval"
    rows = [(title, *_cells(metrics[name]), meaning) for name, title, meaning in named]
    yield from table(("Metric", "Value", interval, "Meaning"), rows, "lrrl")
    yield ""
    for name, title, _ in named:
        if metrics[name].reason:
            yield f"- {title} is undefined: {plain(metrics[name].reason)}."


def _named(report: Report) -> Iterator[tuple[Metric, str, str]]:
    of = code(report.positive) if report.binary else "mean over the labels"
    yield "accuracy", "Accuracy", "share of decisions that are right"
    yield "precision", f"Precision, {of}", "share of the decisions for the label that are right"
    yield "recall", f"Recall, {of}", "share of the label's rows that are found"
    yield "f1", f"F1, {of}", "precision and recall in one number"
    if report.binary:
        yield "macro_f1", "F1, mean over the labels", "the same, both labels alike"
    yield "roc_auc", f"ROC-AUC, {of}", "how well the scores rank, whatever the threshold"
    yield "pr_auc", f"PR-AUC, {of}", "the same, with the eye on the label's rows"


def _gate(lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield "## Gate"
        yield ""
        yield from fence(lines)


def _labels(report: Report) -> Iterator[str]:
    yield "## Each label"
    yield ""
    rows = []
    for label in report.labels:
        found = report.per_class[label]
        cells = (" ".join(_cells(metric)).strip() for metric in (found.precision, found.recall, found.f1))
        rows.append((code(label), *cells, f"{found.support:,}"))
    yield from table(("Label", "Precision", "Recall", "F1", "Rows"), rows, "lrrrr")


def _confusion(report: Report) -> Iterator[str]:
    yield "## What became of the held-out rows"
    yield ""
    if len(report.labels) <= MANY_LABELS:
        header = ("Truth \\ Decision", *(code(label) for label in report.labels))
        rows = [
            (code(label), *(f"{count:,}" for count in counts))
            for label, counts in zip(report.labels, report.confusion, strict=True)
        ]
        yield from table(header, rows, "l" + "r" * len(report.labels))
        yield ""
    yield "![Confusion matrix](plots/confusion_matrix.png)"
    yield "![Precision and recall](plots/precision_recall.png)"
    yield "![ROC curve](plots/roc.png)"
    yield "![How the scores spread](plots/scores.png)"


def _limits(report: Report) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield (
        "- The figures hold for texts like those it was tested on. Other sources, languages, lengths or "
        "times need an evaluation of their own."
    )
    yield (
        "- The intervals say how far the figures could move with other held-out rows. They leave out what "
        "another training run or a change in the traffic would do. An interval of no width means that no "
        "mistake was seen, not that none will be made."
    )
    for label in report.labels:
        support = report.per_class[label].support
        if support < FEW_ROWS:
            yield f"- Held-out rows that are truly {code(label)}: only {support}. Its figures are uncertain."
    yield ("- A decision is a reason to look, not proof: let a person decide where a mistake would hurt.")


def _cells(interval: Interval) -> tuple[str, str]:
    """Return a value and its bounds as two cells of a table."""
    value, _, bounds = str(interval).partition(" ")
    return value, bounds
