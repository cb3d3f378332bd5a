"""What a candidate may not lose against the version in production, and how many decisions may flip."""

from collections.abc import Iterator
from fractions import Fraction

from assay.config import Compared, GatePolicy
from assay.evaluation import Difference, PairedComparison, Report
from assay.gate.check import Check
from assay.gate.pairing import Pair
from assay.gate.sentences import exact, in_production, metric_name, opening, share, shown

CHANCE = 0.05
"""A p-value from which chance alone may explain a difference."""
OF_F1 = ("fixed", "max f1")
"""Goals that F1 speaks for."""


def not_lower(policy: GatePolicy, metric: Compared, comparison: PairedComparison) -> bool | None:
    """Return whether a metric of the candidate is not lower than the policy allows; None when undefined.

    ``point``: candidate + ``max_regression`` >= champion, compared exactly. ``significant``: fails only where
    the paired interval lies wholly below -``max_regression`` and, for accuracy, McNemar's exact test says
    that chance would seldom do that.
    """
    found: Difference = getattr(comparison, metric)
    if found.first is None or found.second is None or found.change.value is None:
        return None
    theirs, ours = (_of_rows(value, comparison.rows) for value in (found.first, found.second))
    lower = ours + exact(policy.max_regression) < theirs
    if policy.regression == "point" or not lower:
        return not lower
    highest = found.change.value if found.change.high is None else found.change.high
    surely = highest < -policy.max_regression
    return not (surely and (metric != "accuracy" or comparison.p_value < CHANCE))


def _of_rows(value: float, rows: int) -> Fraction:
    """Return the fraction that a metric is of so many rows, else (a mean over labels) its decimal.

    In floats 281 of 300 rows are more than 0.01 below 284 of them.
    """
    # F1 divides by the most: the rows that hold a label and those that were given it.
    found = Fraction(value).limit_denominator(max(2 * rows, 1))
    return found if float(found) == value else exact(value)


def check_comparison(
    policy: GatePolicy, candidate: Report, champion: Report, comparison: PairedComparison
) -> Iterator[Check]:
    """Yield for each compared metric whether it is not lower than that of the version in production."""
    other = in_production(champion.version)
    for metric in policy.compared:
        found: Difference = getattr(comparison, metric)
        title, passed = opening(metric_name(metric, candidate)), not_lower(policy, metric, comparison)
        if found.first is None or found.second is None:
            report, whose = (candidate, "the candidate") if found.second is None else (champion, other)
            reason = report.metrics[metric].reason
            sentence = f"{title} of {whose} is undefined ({reason}): nothing to compare."
        else:
            values = _values(found.first, found.second, other)
            verdict = _forbidden(policy, metric, candidate)
            if passed:
                verdict = allowed(policy) if found.second < found.first else ""
            sentence = f"{title} is {values}{_difference(found, comparison)}.{verdict}"
        yield Check(
            name=f"{metric}_production",
            observed=found.second,
            required=found.first,
            passed=bool(passed),
            sentence=sentence,
        )


def _values(theirs: float, ours: float, other: str) -> str:
    verdict = "equal to" if ours == theirs else "higher than" if ours > theirs else "lower than"
    return f"{shown(ours, against=theirs)}, {verdict} the {shown(theirs, against=ours)} of {other}"


def _difference(found: Difference, comparison: PairedComparison) -> str:
    """Return how far a metric differs and how sure that is; nothing where both are right on the same rows."""
    value, low, high = found.change.value, found.change.low, found.change.high
    if not comparison.differ or value is None or low is None or high is None:
        return ""
    return (
        f": {value:+.4f} (95 % paired interval {low:+.4f} to {high:+.4f}; "
        f"McNemar's p = {comparison.p_value:.2g})"
    )


def allowed(policy: GatePolicy) -> str:
    """Return why a metric passes that is lower."""
    if policy.regression == "significant":
        return " It is not lower by more than chance explains."
    return f" Up to {policy.max_regression:g} lower is allowed."


def _forbidden(policy: GatePolicy, metric: Compared, candidate: Report) -> str:
    """Return what is not allowed, and which key to change where the task's goal is another than what fell."""
    slack = f"more than {policy.max_regression:g} " if policy.max_regression else ""
    chance = ", and chance would seldom do that" if policy.regression == "significant" else ""
    goal = candidate.operating_point.goal if candidate.operating_point else "fixed"
    hint = ""
    if goal not in OF_F1 and metric in ("f1", "accuracy"):
        hint = (
            f" The task's goal is {goal!r}: where it is worth that, name what counts in its file instead, as "
            'gate.compared = ["precision", "recall"].'
        )
    return f" It may not be {slack}lower{chance}.{hint}"


def check_flips(policy: GatePolicy, champion: Report, pair: Pair) -> Iterator[Check]:
    """Yield whether few enough decisions differ from those of the version in production, where limited."""
    if policy.max_flips is None:
        return
    rows, flips = len(pair.truth), int((pair.candidate != pair.champion).sum())
    observed = Fraction(flips, max(rows, 1))
    passed = observed <= exact(policy.max_flips)
    sentence = (
        f"{flips:,} of {rows:,} decisions ({share(observed)}) differ from those of "
        f"{in_production(champion.version)}; at most {share(policy.max_flips)} may."
    )
    yield Check(
        name="flips",
        observed=float(observed),
        required=policy.max_flips,
        passed=passed,
        sentence=sentence,
    )
