"""What each rule is worth: hits, precision, gain over the model, overlap and cost, on labelled texts."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.evaluation.intervals import Interval, exact_interval
from assay.evaluation.rule_book import RuleAccount, RuleBook, Verdict
from assay.exceptions import DataError

if TYPE_CHECKING:
    from assay.estimators import Rule, Rules

TIMED_TEXTS = 100
TIMED_PASSES = 5
Bools = NDArray[np.bool_]
Labels = NDArray[np.object_]


def account_rules(
    rules: "Rules",
    texts: Sequence[str],
    truth: Sequence[str],
    model: Sequence[str],
    *,
    positive: str,
    without: Mapping[str, Sequence[str]] | None = None,
    timer: Callable[[], float] = time.perf_counter,
) -> RuleBook:
    """Return the account of every rule on labelled texts.

    For each active rule, on the texts that it hits:

    - precision: the share that truly have its label; recall: the share of its label's rows that it hits; each
      with its exact interval (Clopper and Pearson 1934).
    - corrects, spoils: the rows that become right, or wrong, when the rule joins the model alone, without any
      other rule; the marginal gain is their difference. A deciding rule overrides the model where it hits;
      an evidence rule is judged by leaving its weight out, the other weights as they are. None for an
      evidence rule that ``without`` lacks.
    - caught, false alarms: the change in rows of the positive label that are given it, and in other rows
      that are given it; negative for a rule that lets texts pass.
    - overlap: the share of its hits that other active rules of the same label hit too, and the rule that
      shares the most.
    - cost: microseconds a text for this rule alone, median of several passes over at most 100 of the texts.
      A rule of the folded view bears the folding, which all such rules share in one pass.

    Verdicts: ``dead`` without a hit; ``harmful`` when it spoils more than it corrects; ``redundant`` when
    other active deciding rules decide every one of its hits, to the same label, so that no decision changes
    without it (harmful ones do not count: they should go first); ``expired`` rules are off and not measured.

    Parameters
    ----------
    rules : of the task
    texts, truth : labelled texts
    model : the labels that the model alone gives them, with the weights of all evidence rules; of rows that
        it was trained on, its out-of-fold decisions, or it looks too good to be corrected
    positive : the task's positive label
    without : id of an evidence rule -> the labels that the model alone gives without that rule's weight
    timer : seconds, rising

    Raises DataError when the texts and their labels differ in number.
    """
    left_out = {rule: _array(labels, texts) for rule, labels in (without or {}).items()}
    rows = _Rows(_array(truth, texts), _array(model, texts), left_out, positive, rules.hits(texts))
    bench = _Bench(rules, texts, timer)
    deciding = rows.hits[:, : len(rules.deciding)]
    ruled, decided = deciding.any(axis=1), _first_label(rules.deciding, deciding)
    accounts = [_account(rules, column, rows, bench) for column in range(len(rules.active))]
    return RuleBook(
        rows=len(texts),
        accounts=(*_judged(accounts, rules.deciding, rows.hits), *map(_expired, rules.expired)),
        decided=int(ruled.sum()),
        right=exact_interval(
            int((ruled & (decided == rows.truth)).sum()), int(ruled.sum()), reason="no rule decides a row"
        ),
        microseconds=bench.cost(None),
    )


@dataclass(frozen=True)
class _Rows:
    """The texts as rules and model see them, an entry a text; ``hits`` has a column an active rule."""

    truth: Labels
    model: Labels
    without: Mapping[str, Labels]
    positive: str
    hits: Bools


class _Bench:
    """Times rules on some of the texts, spread evenly."""

    def __init__(self, rules: "Rules", texts: Sequence[str], timer: Callable[[], float]) -> None:
        self.rules, self.timer = rules, timer
        self.texts = list(texts[:: max(1, -(-len(texts) // TIMED_TEXTS))])

    def cost(self, rule: str | None) -> float | None:
        """Return the microseconds a text of one rule alone, or of all together; None without texts."""
        if not self.texts:
            return None
        alone = self.rules if rule is None else self.rules.only([rule])
        alone.hits(self.texts)  # compiles what is compiled at first use
        return median(self._pass(alone) for _ in range(TIMED_PASSES)) / len(self.texts) * 1e6

    def _pass(self, rules: "Rules") -> float:
        started = self.timer()
        rules.hits(self.texts)
        return self.timer() - started


def _account(rules: "Rules", column: int, rows: _Rows, bench: _Bench) -> RuleAccount:
    rule, hit, of_label = rules.active[column], rows.hits[:, column], rows.truth == rules.active[column].label
    count, right, held = (int(which.sum()) for which in (hit, hit & of_label, of_label))
    return RuleAccount(
        id=rule.id,
        label=rule.label,
        action=rule.action,
        hits=count,
        precision=exact_interval(right, count, reason="no row is hit"),
        recall=exact_interval(right, held, reason=f"no row has the label {rule.label!r}"),
        **_change(rule, hit, rows),
        **_overlap(rules.active, column, rows.hits),
        microseconds=bench.cost(rule.id),
    )


def _change(rule: "Rule", hit: Bools, rows: _Rows) -> dict[str, Any]:
    """Return what changes when a rule joins the model alone; nothing for evidence that was not left out."""
    if rule.action == "decide":
        before, after = rows.model, np.where(hit, rule.label, rows.model)
    elif rule.id in rows.without:
        before, after = rows.without[rule.id], rows.model
    else:
        return {}
    was, now, of_label = before == rows.truth, after == rows.truth, rows.truth == rows.positive
    alerts = (after == rows.positive).astype(np.int64) - (before == rows.positive)
    return {
        "corrects": int((now & ~was).sum()),
        "spoils": int((was & ~now).sum()),
        "caught": int(alerts[of_label].sum()),
        "false_alarms": int(alerts[~of_label].sum()),
    }


def _overlap(active: "Sequence[Rule]", column: int, hits: Bools) -> dict[str, Any]:
    hit, label = hits[:, column], active[column].label
    others = [at for at, rule in enumerate(active) if rule.label == label and at != column]
    if not others or not hit.any():
        return {}
    shared = hits[hit][:, others]
    most = shared.sum(axis=0)
    nearest = active[others[int(most.argmax())]].id if most.any() else ""
    return {"overlap": float(shared.any(axis=1).mean()), "overlaps_with": nearest}


def _judged(
    accounts: "Sequence[RuleAccount]", deciding: "Sequence[Rule]", hits: Bools
) -> Iterator[RuleAccount]:
    """Yield the accounts of the active rules with their verdicts."""
    decided = _first_label(deciding, hits[:, : len(deciding)])
    sound = np.array([(account.gain or 0) >= 0 for account in accounts[: len(deciding)]], np.bool_)
    for column, account in enumerate(accounts):
        verdicts: list[Verdict] = [] if account.hits else ["dead"]
        if account.gain is not None and account.gain < 0:
            verdicts.append("harmful")
        hit, others = hits[:, column], sound & (np.arange(len(deciding)) != column)
        rest = hits[hit, : len(deciding)] & others
        if hit.any() and rest.any(axis=1).all() and (_first_label(deciding, rest) == decided[hit]).all():
            verdicts.append("redundant")
        yield account.model_copy(update={"verdicts": tuple(verdicts)})


def _array(labels: Sequence[str], texts: Sequence[str]) -> Labels:
    if len(labels) != len(texts):
        raise DataError(f"There are {len(texts):,} texts and {len(labels):,} labels; each text needs one.")
    return np.array(labels, object)


def _first_label(deciding: "Sequence[Rule]", hits: Bools) -> Labels:
    """Return the label that the first rule which hits gives each row, None where none does."""
    labels = np.array([*(rule.label for rule in deciding), None], object)
    none = np.ones((len(hits), 1), np.bool_)
    found: Labels = labels[np.hstack([hits, none]).argmax(axis=1)]
    return found


def _expired(rule: "Rule") -> RuleAccount:
    off = Interval(value=None, reason=f"expired on {rule.expires}")
    return RuleAccount(
        id=rule.id,
        label=rule.label,
        action=rule.action,
        hits=0,
        precision=off,
        recall=off,
        verdicts=("expired",),
    )
