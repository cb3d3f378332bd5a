from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.config import FoldingConfig
from assay.estimators import Rules, parse_rules
from assay.evaluation import RuleAccount, RuleBook, account_rules
from assay.exceptions import DataError
from tests.corpus import SPAM_GROUPS, labelled
from tests.rulesets import small_rules

TEXTS = ["win a prize", "win win", "prize draw", "see you", "free lunch with you", "free beer", "you win"]
TRUTH = ["spam", "spam", "spam", "ham", "ham", "ham", "ham"]
MODEL = ["ham", "spam", "spam", "ham", "spam", "spam", "ham"]


def rules_of(*rules: tuple[str, str, str], **more: dict[str, Any]) -> Rules:
    """Return rules given as id, pattern and label; ``more`` changes single ones by their id."""
    values = [
        {"id": name, "pattern": pattern, "label": label, "action": "decide", "examples": [pattern]}
        | more.get(name, {})
        for name, pattern, label in rules
    ]
    given = {"source": "a test", "labels": ("ham", "spam"), "positive": "spam"}
    return parse_rules({"rule": values}, **given, folding=FoldingConfig(), today=date(2026, 11, 21))


def clock(*seconds: float) -> Iterator[float]:
    """Yield the times of passes that take so many seconds each."""
    now = 0.0
    for each in seconds:
        yield now
        now += each
        yield now


def book_of(rules: Rules, model: Sequence[str] = MODEL, **more: Any) -> RuleBook:
    """Return the book of rules on the small texts."""
    return account_rules(rules, TEXTS, TRUTH, model, positive="spam", **more)


def account_of(rules: Rules, name: str, **more: Any) -> RuleAccount:
    """Return the account of one rule on the small texts."""
    [account] = [each for each in book_of(rules, **more).accounts if each.id == name]
    return account


WIN = ("win", "win", "spam")
PRIZE = ("prize", "prize", "spam")
YOU = ("you", "you", "ham")


def test_hits_precision_and_recall_are_of_the_rule_s_own_label() -> None:
    account = account_of(rules_of(WIN, YOU), "win")
    assert account.hits == 3
    assert account.precision.value == account.recall.value == 2 / 3
    assert (account.precision.low, account.precision.high) == pytest.approx((0.0943, 0.9916), abs=1e-4)
    allow = account_of(rules_of(WIN, YOU), "you")
    assert (allow.hits, allow.precision.value, allow.recall.value) == (3, 1.0, 0.75)


def test_the_gain_is_over_the_model_alone_and_not_beside_other_rules() -> None:
    # "win" corrects "win a prize" and spoils "you win", although "you" would decide that before it.
    account = account_of(rules_of(WIN, YOU), "win")
    assert (account.corrects, account.spoils, account.gain) == (1, 1, 0)
    assert (account.caught, account.false_alarms) == (1, 1)


def test_an_allow_rule_lowers_catches_and_false_alarms() -> None:
    account = account_of(rules_of(("free", "free", "ham"), ("a-prize", "draw", "ham")), "free")
    assert (account.corrects, account.spoils) == (2, 0)
    assert (account.caught, account.false_alarms) == (0, -2)
    wrong = account_of(rules_of(("a-prize", "draw", "ham")), "a-prize")
    assert (wrong.corrects, wrong.spoils, wrong.caught, wrong.false_alarms) == (0, 1, -1, 0)


def test_evidence_is_judged_by_leaving_its_weight_out() -> None:
    rules = rules_of(WIN, PRIZE, prize={"action": "evidence"})
    without = ["ham", "spam", "ham", "ham", "spam", "ham", "ham"]
    account = account_of(rules, "prize", without={"prize": without})
    assert (account.corrects, account.spoils, account.gain) == (1, 1, 0)
    assert (account.caught, account.false_alarms) == (1, 1)
    unknown = account_of(rules, "prize")
    assert (unknown.corrects, unknown.gain, unknown.caught) == (None, None, None)
    assert (unknown.hits, unknown.precision.value) == (2, 1.0)


def test_overlap_counts_other_rules_of_the_same_label() -> None:
    rules = rules_of(WIN, PRIZE, YOU, ("a-prize", "a prize", "spam"))
    assert account_of(rules, "win").overlap == pytest.approx(1 / 3)
    assert account_of(rules, "win").overlaps_with == "prize"
    assert (account_of(rules, "a-prize").overlap, account_of(rules, "a-prize").overlaps_with) == (1.0, "win")
    assert account_of(rules, "you").overlap is None
    apart = account_of(rules_of(("beer", "beer", "spam"), PRIZE), "beer")
    assert (apart.overlap, apart.overlaps_with) == (0.0, "")


def test_the_cost_is_the_median_of_several_passes_of_the_rule_alone() -> None:
    # One rule, then all together: five passes over seven texts each.
    passes = clock(1, 7, 3, 7e9, 7, *[0.7] * 5)
    book = book_of(rules_of(WIN), timer=lambda: next(passes))
    assert book.accounts[0].microseconds == pytest.approx(1e6)
    assert book.microseconds == pytest.approx(1e5)


def test_the_cost_is_measured_on_some_of_many_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    rules, asked, full = rules_of(WIN), [], Rules.hits
    monkeypatch.setattr(Rules, "hits", lambda self, texts: asked.append(len(texts)) or full(self, texts))
    account_rules(rules, ["win"] * 950, ["spam"] * 950, ["spam"] * 950, positive="spam")
    assert asked == [950, *[95] * 12]


def test_a_rule_without_a_hit_is_dead() -> None:
    account = account_of(rules_of(WIN, ("gone", "zebra", "spam")), "gone")
    assert account.verdicts == ("dead",)
    assert account.precision.reason == "no row is hit"
    assert account.recall.value == 0.0


def test_a_rule_that_spoils_more_than_it_corrects_is_harmful() -> None:
    assert account_of(rules_of(("free", "free|see", "spam")), "free").verdicts == ("harmful",)
    assert account_of(rules_of(WIN), "win").verdicts == ()


def test_harmful_evidence_is_named_too() -> None:
    without = ["spam", *MODEL[1:]]
    rules = rules_of(PRIZE, prize={"action": "evidence"})
    assert account_of(rules, "prize", without={"prize": without}).verdicts == ("harmful",)


def test_a_rule_whose_hits_others_decide_alike_is_redundant() -> None:
    rules = rules_of(WIN, PRIZE, ("a-prize", "win a prize", "spam"))
    verdicts = {account.id: account.verdicts for account in book_of(rules).accounts}
    assert verdicts == {"win": (), "prize": (), "a-prize": ("redundant",)}


def test_a_rule_is_not_redundant_where_the_others_decide_otherwise() -> None:
    # Without the allow rule, "you win" would be spam by "win".
    assert account_of(rules_of(("allowed", "you w", "ham"), WIN), "allowed").verdicts == ()
    # With it, the block rule "u win" decides nothing.
    rules = rules_of(("allowed", "you w", "ham"), ("blocked", "u win", "spam"))
    assert account_of(rules, "blocked").verdicts == ("harmful", "redundant")


def test_one_hit_that_would_be_decided_otherwise_is_enough_to_be_of_use() -> None:
    # Without "both", "free beer" is still ham and "you win" is spam.
    rules = rules_of(("both", "beer|u w", "ham"), ("free", "free", "ham"), WIN)
    assert account_of(rules, "both").verdicts == ()


def test_a_harmful_rule_makes_no_other_redundant() -> None:
    rules = rules_of(("broad", "win|free|see|you", "spam"), ("a-prize", "win a prize", "spam"))
    verdicts = {account.id: account.verdicts for account in book_of(rules).accounts}
    assert verdicts == {"broad": ("harmful",), "a-prize": ()}


def test_evidence_that_never_reaches_the_model_is_redundant() -> None:
    rules = rules_of(WIN, ("a-prize", "win a", "spam"), **{"a-prize": {"action": "evidence"}})
    assert account_of(rules, "a-prize", without={"a-prize": MODEL}).verdicts == ("redundant",)
    # "prize draw" is left to the model.
    rules = rules_of(WIN, PRIZE, prize={"action": "evidence"})
    assert account_of(rules, "prize", without={"prize": MODEL}).verdicts == ()


def test_an_expired_rule_is_listed_and_not_measured() -> None:
    rules = rules_of(WIN, PRIZE, prize={"expires": date(2026, 1, 1)})
    account = account_of(rules, "prize")
    assert account.verdicts == ("expired",)
    assert account.precision.reason == "expired on 2026-01-01"
    assert (account.corrects, account.microseconds, account.overlap) == (None, None, None)


def test_a_redundant_rule_changes_no_decision_when_it_is_left_out(tmp_path: Path) -> None:
    texts, truth = labelled(SPAM_GROUPS, 100, seed=3)
    rules = small_rules(tmp_path)
    book = account_rules(rules, texts, truth, truth, positive="spam")
    for account in book.accounts:
        rest = rules.only([rule.id for rule in rules.active if rule.id != account.id])
        changed = decisions(rest, texts) != decisions(rules, texts)
        if account.action == "decide":
            assert ("redundant" in account.verdicts) == (not changed)


def decisions(rules: Rules, texts: Sequence[str]) -> list[str | None]:
    """Return the label that the first deciding rule gives each text, None where none fires."""
    hits = rules.hits(texts)[:, : len(rules.deciding)]
    return [next((rules.deciding[at].label for at in np.flatnonzero(row)), None) for row in hits]


def test_the_book_says_what_the_rules_decide_together() -> None:
    book = book_of(rules_of(WIN, YOU, PRIZE, prize={"action": "evidence"}))
    # "you win" is allowed first; evidence decides nothing.
    assert (book.rows, book.decided, book.right.value) == (7, 5, 1.0)
    assert RuleBook.model_validate_json(book.model_dump_json()) == book


def test_labels_and_texts_must_be_as_many() -> None:
    with pytest.raises(DataError, match="There are 7 texts and 3 labels"):
        account_rules(rules_of(WIN), TEXTS, TRUTH, MODEL[:3], positive="spam")


def test_no_texts_leave_everything_undefined() -> None:
    book = account_rules(rules_of(WIN), [], [], [], positive="spam")
    assert book.right.reason == "no rule decides a row"
    assert (book.microseconds, book.accounts[0].microseconds) == (None, None)
    assert book.accounts[0].recall.reason == "no row has the label 'spam'"
    assert book.lines()[0] == "1 active rule on 0 labelled rows"
