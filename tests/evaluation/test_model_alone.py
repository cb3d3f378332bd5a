"""The account of a cascade's rules beside its own model, on rows that neither has seen."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from assay.datasets import Rows
from assay.estimators import NO_RULES, Cascade, Rules
from assay.evaluation import ModelAlone, account_of, account_rules
from assay.evaluation.model_alone import evidence_hits
from tests.evaluation.made_up import Tuned
from tests.rulesets import RULES_TOML, small_rules


def dated(rules: Rules, **dates: date) -> Rules:
    """Return rules of which some expire."""
    given = [rule.model_copy(update={"expires": dates.get(rule.id)}) for rule in rules.all]
    return Rules(given, positive=rules.positive, folding=rules.folding, as_of=rules.as_of)


def test_a_cascade_without_rules_has_no_account(spam_cascade: Cascade, held_out: Rows) -> None:
    assert account_of(spam_cascade, held_out) is None


def test_deciding_rules_are_judged_beside_the_model_alone(tuned_spam: Tuned, held_out: Rows) -> None:
    cascade = tuned_spam.cascade
    model = replace(cascade, rules=NO_RULES).predict(held_out.texts)
    assert model != cascade.predict(held_out.texts)
    still = {"positive": "spam", "timer": lambda: 0.0}
    expected = account_rules(cascade.rules, held_out.texts, held_out.labels, model, **still)
    found = account_of(cascade, held_out)
    assert found is not None
    timed = {"microseconds": None}
    assert [each.model_copy(update=timed) for each in found.accounts] == [
        each.model_copy(update=timed) for each in expected.accounts
    ]
    assert (found.decided, found.right) == (expected.decided, expected.right)
    assert sum(account.corrects or 0 for account in found.accounts) > 0


def test_evidence_is_judged_by_the_model_without_its_weight(ruled_cascade: Cascade, held_out: Rows) -> None:
    book = account_of(ruled_cascade, held_out)
    assert book is not None
    accounts = {account.id: account for account in book.accounts}
    alone = ModelAlone.on(ruled_cascade, held_out.texts)
    hits = evidence_hits(ruled_cascade, held_out.texts)
    truth = np.array(held_out.labels)
    right = np.array(alone.labels()) == truth
    for column, rule in enumerate(ruled_cascade.rules.evidence):
        evidence = ruled_cascade.model.evidence
        coef = evidence.coef.copy()
        coef[column] = 0
        model = replace_evidence(ruled_cascade, coef)
        logits = model.model.logits(held_out.texts, hits)
        before = np.array(alone.labels(logits)) == truth
        account = accounts[rule.id]
        assert (account.corrects, account.spoils) == (
            int((right & ~before).sum()),
            int((before & ~right).sum()),
        )


def replace_evidence(cascade: Cascade, coef: np.ndarray) -> Cascade:
    """Return a cascade whose evidence weighs otherwise."""
    model = cascade.model
    evidence = type(model.evidence)(model.evidence.rules, coef)
    return replace(
        cascade, model=type(model)(model.labels, model.link, model.blocks, model.intercept, evidence)
    )


def test_the_model_alone_answers_at_the_served_threshold(ruled_cascade: Cascade, held_out: Rows) -> None:
    labels = ModelAlone.on(ruled_cascade, held_out.texts).labels()
    judged = ruled_cascade.judge(held_out.texts)
    by_model = judged.rules < 0
    assert 0 < by_model.sum() < len(by_model)
    assert np.array_equal(np.array(labels)[by_model], np.array(judged.labels)[by_model])


def test_rules_that_all_expired_are_listed(tuned_spam: Tuned, held_out: Rows, tmp_path: Path) -> None:
    rules = small_rules(tmp_path)
    off = dated(rules, **{rule.id: date(2025, 1, 1) for rule in rules.all})
    book = account_of(replace(tuned_spam.cascade, rules=off), held_out)
    assert book is not None
    assert {account.verdicts for account in book.accounts} == {("expired",)}
    assert (book.decided, book.rows) == (0, len(held_out))


def test_no_rows_leave_an_empty_account(tuned_spam: Tuned, ruled_cascade: Cascade) -> None:
    for cascade in (tuned_spam.cascade, ruled_cascade):
        book = account_of(cascade, Rows([], []))
        assert book is not None
        assert (book.rows, book.decided, book.microseconds) == (0, 0, None)


def test_evidence_that_was_fitted_otherwise_is_not_known(ruled_cascade: Cascade, tmp_path: Path) -> None:
    alone = ModelAlone.on(ruled_cascade, ["stop, see you later"])
    assert alone.knows(ruled_cascade.rules) == ["urgent", "later"]
    changed = small_rules(tmp_path, RULES_TOML.replace("now|stop", "now|stop|cash"))
    assert alone.knows(changed) == ["later"]
    assert list(alone.without_each(changed)) == ["later"]


def test_a_model_without_evidence_knows_none(spam_cascade: Cascade, tmp_path: Path) -> None:
    alone = ModelAlone.on(spam_cascade, ["stop, see you later"])
    assert alone.knows(small_rules(tmp_path)) == []
    assert alone.without_each(small_rules(tmp_path)) == {}
