"""What may not fall within parts of the rows either."""

from collections.abc import Iterator

from assay.config import Compared, GatePolicy
from assay.evaluation import Difference, PairedComparison
from assay.frozen import Frozen
from assay.gate.check import Check
from assay.gate.comparison import allowed, not_lower
from assay.gate.pairing import Pair
from assay.gate.sentences import NAMES, shown


class SliceComparison(Frozen):
    """The rows that share a value of one column, both versions side by side, that in production first."""

    by: str
    value: str
    judged: bool
    """False for a slice of too few rows to block."""
    comparison: PairedComparison


def compare_slices(policy: GatePolicy, pair: Pair) -> tuple[SliceComparison, ...]:
    """Return both versions side by side on each slice that holds rows, of all that the policy names."""
    return tuple(_compared(policy, pair))


def check_slices(policy: GatePolicy, pair: Pair, slices: tuple[SliceComparison, ...]) -> Iterator[Check]:
    """Yield for each slice with enough rows whether nothing that is compared falls within it.

    A metric that is undefined on either side is left out; where all are, accuracy stands in for them. A
    column that the reports do not slice by, or not alike, fails.
    """
    for by in policy.slices:
        if fault := _fault(by, pair):
            yield Check(name=by, observed=None, required="slices", passed=False, sentence=fault)
    for each in slices:
        if each.judged:
            yield _holds(policy, each)


def _compared(policy: GatePolicy, pair: Pair) -> Iterator[SliceComparison]:
    for by in policy.slices:
        if _fault(by, pair):
            continue
        group = pair.groups[by]
        numbers = group.numbers()
        for number, value in enumerate(group.values):
            chosen = numbers == number
            if rows := int(chosen.sum()):
                yield SliceComparison(
                    by=by,
                    value=value,
                    judged=rows >= policy.min_slice_rows,
                    comparison=pair.compare(chosen),
                )


def _fault(by: str, pair: Pair) -> str:
    """Return why both versions cannot be compared within the slices of a column; empty when they can."""
    ours, theirs = pair.groups.get(by), pair.theirs.get(by)
    if ours is None or theirs is None:
        known = sorted(
            name for name, group in pair.groups.items() if group.comparable and name in pair.theirs
        )
        return (
            f"The reports are not sliced by {by!r}, which gate.slices names; they are by {known}. Name a "
            "column of the rows in data.slices, or leave it out of gate.slices."
        )
    if not (ours.comparable and theirs.comparable):
        return (
            f"Slices by {by!r} are each version's own doing, so they cannot be compared; leave {by!r} out of "
            "gate.slices."
        )
    if ours != theirs:
        return f"Both reports are sliced by {by!r}, but not alike. Evaluate both on the same file."
    return ""


def _holds(policy: GatePolicy, each: SliceComparison) -> Check:
    found = {metric: not_lower(policy, metric, each.comparison) for metric in policy.compared}
    verdicts: dict[Compared, bool] = {metric: held for metric, held in found.items() if held is not None}
    if not verdicts:
        verdicts = {"accuracy": bool(not_lower(policy, "accuracy", each.comparison))}
    differences: dict[Compared, Difference] = {
        metric: getattr(each.comparison, metric) for metric in verdicts
    }
    # Told of is one that may not fall, else one that falls, else the first.
    looked = min(verdicts, key=lambda metric: (verdicts[metric], not _falls(differences[metric])))
    passed, difference = all(verdicts.values()), differences[looked]
    return Check(
        name=f"{each.by}: {each.value}",
        observed=difference.second,
        required=difference.first,
        passed=passed,
        sentence=_sentence(policy, each, looked, difference, passed=passed),
    )


def _falls(found: Difference) -> bool:
    return (found.second or 0.0) < (found.first or 0.0)


def _sentence(
    policy: GatePolicy, each: SliceComparison, metric: Compared, found: Difference, *, passed: bool
) -> str:
    theirs, ours = found.first or 0.0, found.second or 0.0
    where = f"{each.by}: {each.value} ({each.comparison.rows:,} rows)"
    values = f"{NAMES[metric]} goes from {shown(theirs, against=ours)} to {shown(ours, against=theirs)}"
    if passed and _falls(found):
        return f"Within {where}, {values}.{allowed(policy)}"
    chance = " by more than chance explains" if policy.regression == "significant" else ""
    verdict = "nothing compared falls" if passed else f"it may not fall{chance}"
    return f"Within {where}, {values}; {verdict} within a slice."
