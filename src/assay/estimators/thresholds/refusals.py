"""What is said when no threshold reaches a goal: the best that can be had, and what stands in the way."""

from typing import NoReturn

import numpy as np

from assay.config import Goal
from assay.estimators.thresholds.goals import Curve, nearest, pick
from assay.estimators.thresholds.samples import Sample
from assay.estimators.thresholds.scans import Scan
from assay.exceptions import GoalError


def refuse_without_scores(goal: str) -> NoReturn:
    """Raise GoalError: there is nothing to choose a threshold on."""
    raise GoalError(
        f"The goal {goal!r} is chosen on held-out scores, and there are none: the model was fitted "
        "elsewhere, or a label has fewer than two rows. State the goal 'fixed' with a value, or train here "
        "with more rows of every label.",
        goal=goal,
        best=None,
    )


def refuse_goal(text: str, goal: Goal, label: str, scan: Scan, sample: Sample) -> NoReturn:
    """Raise GoalError for a goal that no candidate of a scan reaches, saying the best that can be had."""
    [hits], [alerts], [positives], rows, _ = scan.curve(scan.counts[None])
    curve = Curve(hits, alerts, positives, rows)
    best = nearest(goal, curve)
    told, value = f"no threshold finds a row of {label!r}", None
    if best is not None:
        told, value = _best(goal, curve, best, float(scan.thresholds[best]))
    raise GoalError(
        f"{text} is not reached by any threshold; {told}.{_blame(goal, scan.label, sample)} "
        "State a goal that can be reached, or bring rows or rules that tell the labels apart better.",
        goal=text,
        best=value,
    )


def _best(goal: Goal, curve: Curve, at: int, threshold: float) -> tuple[str, float]:
    hits, alerts, positives = int(curve.hits[at]), int(curve.alerts[at]), int(curve.positives[0])
    values = {"precision": hits / alerts, "recall": hits / positives}
    counts = f"{hits} of {alerts} alerts right, {hits} of {positives} found"
    if goal.kind in values:
        value = values.pop(goal.kind)
        [(name, other)] = values.items()
        return f"the best is {value:.4g} at threshold {threshold:.4g} ({name} {other:.2g}; {counts})", value
    value = alerts / curve.rows
    fewest = f"{alerts} of {curve.rows} held-out rows, {value * goal.per_day:.4g} of {goal.per_day}"
    return f"the fewest that find anything are {fewest}, at threshold {threshold:.4g} ({counts})", value


def _blame(goal: Goal, label: int, sample: Sample) -> str:
    """Return a sentence when a model without error could not reach the goal either, for what rules decide."""
    held, given = sample.truth == label, sample.ruled == label
    positives, missed = int(held.sum()), int((held & (sample.ruled >= 0) & ~given).sum())
    false, hits = int((given & ~held).sum()), positives - missed
    # Of alerts only those that the rules raise are there whatever the model says.
    hits, alerts = (1, int(given.sum())) if goal.kind == "alerts" else (hits, hits + false)
    perfect = Curve(np.array([hits]), np.array([alerts]), np.array([positives]), len(held))
    if pick(goal, perfect) >= 0:
        return ""
    return (
        f" The rules alone rule it out, whatever the model says: they give the label to {int(given.sum())} "
        f"rows, {false} of which do not have it, and withhold it from {missed} of the {positives} that do."
    )
