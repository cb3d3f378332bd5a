"""Cascades with rules and a chosen operating point, on rows of their own."""

from dataclasses import replace

import pytest

from assay.datasets import Rows
from assay.estimators import Cascade
from assay.evaluation import Report, evaluate
from assay.progress import Progress
from tests.corpus import SPAM_GROUPS, labelled
from tests.evaluation.made_up import MOMENT, Tuned, tuned
from tests.rulesets import small_rules


@pytest.fixture(scope="session")
def tuned_spam(spam_cascade: Cascade, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """The cascade of the task spam with deciding rules, its operating point chosen for a recall."""
    rules = small_rules(tmp_path_factory.mktemp("rules"))
    cascade = replace(spam_cascade, rules=rules.only([rule.id for rule in rules.deciding]))
    return tuned(cascade, "recall >= 0.9", *labelled(SPAM_GROUPS, 150, seed=8))


@pytest.fixture(scope="session")
def held_out() -> Rows:
    """Rows that neither the cascade nor its operating point has seen."""
    return Rows(*labelled(SPAM_GROUPS, 150, seed=9))


@pytest.fixture(scope="session")
def tuned_report(tuned_spam: Tuned, held_out: Rows) -> Report:
    """The report of that cascade on those rows."""
    return evaluate(
        tuned_spam.cascade,
        held_out,
        dataset={"name": "made-up", "fingerprint": "f" * 64},
        thresholds=tuned_spam.tables,
        resamples=50,
        progress=Progress(quiet=True),
        clock=lambda: MOMENT,
    )
