"""The accounts of a task's rules as a table, with the rules that should be looked at named."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field

from assay.evaluation.intervals import Interval
from assay.evaluation.text_table import text_table
from assay.frozen import Frozen

Verdict = Literal["dead", "harmful", "redundant", "expired"]
COLUMNS = (
    *("rule", "label", "action", "hits", "precision", "recall", "corrects", "spoils"),
    *("caught", "alarms", "overlap", "cost", "verdict"),
)
SIDES = "lllrllrrrrlrl"


class RuleAccount(Frozen):
    """One rule's figures on labelled texts, as ``account_rules`` defines them; None: not measured."""

    id: str
    label: str
    action: Literal["decide", "evidence"]
    hits: int = Field(ge=0)
    precision: Interval
    recall: Interval
    corrects: int | None = None
    spoils: int | None = None
    caught: int | None = None
    false_alarms: int | None = None
    overlap: float | None = None
    overlaps_with: str = ""
    microseconds: float | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def gain(self) -> int | None:
        """Rows that the rule corrects less rows that it spoils."""
        return None if self.corrects is None or self.spoils is None else self.corrects - self.spoils


class RuleBook(Frozen):
    """The accounts of a task's rules, the active ones in their order, then the expired ones."""

    rows: int = Field(ge=0)
    accounts: tuple[RuleAccount, ...]
    decided: int = Field(ge=0)
    """Rows that the deciding rules decide together."""
    right: Interval
    """The share of these that get their true label."""
    microseconds: float | None
    """For all active rules in one pass, a text."""

    def named(self, verdict: Verdict) -> list[RuleAccount]:
        """Return the accounts of the rules with a verdict."""
        return [account for account in self.accounts if verdict in account.verdicts]

    def lines(self) -> list[str]:
        """Return the accounts as a table, then sentences that name what should be looked at."""
        share = self.decided / self.rows if self.rows else 0.0
        cost = "" if self.microseconds is None else f"; all in one pass: {self.microseconds:.1f} us a text"
        active = len(self.accounts) - len(self.named("expired"))
        head = f"{active} active {_rules(active)} on {self.rows:,} labelled rows{cost}"
        decided = f"Together they decide {self.decided:,} rows ({share:.1%}), right on {self.right.text(3)}."
        table = text_table(COLUMNS, [_cells(account) for account in self.accounts], SIDES)
        return [head, decided, *(f"  {line}" for line in table), *self.sentences()]

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each verdict that names the rules which have it."""
        if dead := self.named("dead"):
            yield f"Dead, without a hit on these rows: {_ids(dead)}."
        if harmful := self.named("harmful"):
            told = ", ".join(f"{each.id} ({each.spoils:,} against {each.corrects:,})" for each in harmful)
            yield f"Harmful, spoiling more of the model's decisions than they correct: {told}."
        if redundant := self.named("redundant"):
            one = " Take out one at a time: they may stand in for each other." if len(redundant) > 1 else ""
            yield f"Redundant, every hit being decided alike by other rules: {_ids(redundant)}.{one}"
        if expired := self.named("expired"):
            yield f"Expired and off: {_ids(expired)}."


def _cells(account: RuleAccount) -> tuple[str, ...]:
    """Return an account as a row of the table."""
    shared = "" if account.overlap is None else f"{account.overlap:.0%} {account.overlaps_with}".strip()
    measured = "expired" not in account.verdicts
    return (
        account.id,
        account.label,
        account.action,
        f"{account.hits:,}" if measured else "",
        account.precision.text(3) if account.hits else "",
        account.recall.text(3) if measured else "",
        _number(account.corrects),
        _number(account.spoils),
        _number(account.caught, signed=True),
        _number(account.false_alarms, signed=True),
        shared,
        "" if account.microseconds is None else f"{account.microseconds:.1f} us",
        ", ".join(account.verdicts),
    )


def _number(value: int | None, *, signed: bool = False) -> str:
    return "" if value is None else f"{value:+,}" if signed and value else f"{value:,}"


def _ids(accounts: Sequence[RuleAccount]) -> str:
    return ", ".join(account.id for account in accounts)


def _rules(count: int) -> str:
    return "rule" if count == 1 else "rules"
