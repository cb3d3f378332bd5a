"""The model card: a report as Markdown that a person reads in two minutes (after Mitchell et al. 2019)."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assay.evaluation.markdown import code, fence, plain, table
from assay.evaluation.report import Interval, Metric, Report

FEW_ROWS = 100
"""A label with fewer held-out rows gets a warning: its intervals are wide."""
MANY_LABELS = 12
"""Labels up to which the confusion matrix fits on a page."""
SIDES = ("train", "validation", "test")


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
        _labels(report),
        _confusion(report),
        _data(report),
        _training(report),
        _reproduce(report),
        _limits(report),
    )
    text = "\n\n".join("\n".join(section) for section in sections)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"# {plain(report.model)}{f' version {report.version}' if report.version else ''}"
    yield ""
    if report.description:
        yield f"{plain(report.description)}\n"
    labels = [code(label) for label in report.labels]
    choice = " or ".join(labels) if report.binary else "one of " + ", ".join(labels)
    yield f"For each text it decides: {choice}."
    if report.threshold is not None:
        yield (
            f"It answers {code(report.positive)} when the probability of that label is "
            f"{report.threshold:.4g} or more."
        )
    else:
        yield "It answers the label with the highest probability."
    yield ""
    yield (
        f"Task {code(report.task)}, evaluated on {report.rows:,} rows that it was not trained on, "
        f"{report.created_at:%-d %B %Y}."
    )


def _results(report: Report) -> Iterator[str]:
    yield "## Results"
    yield ""
    metrics = report.metrics
    named = list(_named(report))
    interval = f"{100 * report.confidence:g} % interval"
    rows = [(title, *_value(metrics[name]), meaning) for name, title, meaning in named]
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
    yield "f1", f"F1, {of}", "precision and recall in one number; the gate looks at this"
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
        cells = (" ".join(_value(metric)).strip() for metric in (found.precision, found.recall, found.f1))
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


def _data(report: Report) -> Iterator[str]:
    data = report.dataset
    yield "## Data"
    yield ""
    facts = (
        ("Name", data.name),
        ("Source", data.source),
        ("Licence", data.licence),
        ("Citation", data.citation),
    )
    yield from (f"- {name}: {plain(value)}" for name, value in facts if value)
    yield f"- Fingerprint: `{data.fingerprint}`"
    yield f"- Fingerprint of the held-out rows: `{report.rows_fingerprint}`"
    if data.counts:
        yield ""
        sides = [side for side in SIDES if side in data.counts] + [
            side for side in data.counts if side not in SIDES
        ]
        rows = []
        for side in sides:
            counts = data.counts[side]
            rows.append(
                (side, *(f"{counts.get(label, 0):,}" for label in report.labels), f"{sum(counts.values()):,}")
            )
        yield from table(
            ("Side", *(code(label) for label in report.labels), "All"),
            rows,
            "l" + "r" * (len(report.labels) + 1),
        )
    yield from _audit(data.audit)


def _audit(audit: Mapping[str, Any]) -> Iterator[str]:
    if "rows_read" in audit and "rows_kept" in audit:
        yield ""
        yield f"{audit['rows_read']:,} rows were read and {audit['rows_kept']:,} kept."
    findings = audit.get("findings") or []
    if findings:
        yield ""
        yield from (f"- {plain(finding['message'])}" for finding in findings)


def _training(report: Report) -> Iterator[str]:
    facts = report.training
    yield "## Training"
    yield ""
    if facts.seconds is not None:
        yield f"- Time: {facts.seconds:.1f} s"
    if facts.git_commit:
        yield f"- Git commit: `{facts.git_commit}`"
    if report.digest:
        yield f"- Digest of what decides: `{report.digest}`"
    if facts.libraries:
        yield "- Libraries: " + ", ".join(
            f"{plain(name)} {plain(version)}" for name, version in sorted(facts.libraries.items())
        )
    if facts.hyperparameters:
        yield ""
        rows = [
            (code(name), code(json.dumps(value, ensure_ascii=False)))
            for name, value in facts.hyperparameters.items()
        ]
        yield from table(("Hyperparameter", "Value"), rows, "ll")


def _reproduce(report: Report) -> Iterator[str]:
    yield "## Reproduce"
    yield ""
    commit, _, dirty = (report.training.git_commit or "").partition("-")
    yield from fence([*([f"git checkout {commit}"] if commit else []), "assay train model/task.toml"])
    if dirty:
        yield ""
        yield "The model was trained with changes that no commit holds: the result may differ."
    yield ""
    yield (
        "`model/task.toml` is the task file in the artifact's folder, beside this report's. "
        "The data must have the fingerprint above. Intervals are percentiles of "
        f"{report.resamples:,} bootstrap resamples of the held-out rows, seed {report.seed}; the same seed "
        "gives the same intervals."
    )


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


def _value(interval: Interval) -> tuple[str, str]:
    if interval.value is None:
        return "undefined", ""
    if interval.low is None or interval.high is None:
        return f"{interval.value:.4f}", ""
    return f"{interval.value:.4f}", f"({interval.low:.4f} to {interval.high:.4f})"
