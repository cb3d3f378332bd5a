"""What ``/health`` tells of the decisions."""

import re

from assay.estimators import Cascade
from assay.telemetry import Counters


def test_nothing_was_decided_at_first() -> None:
    statistics = Counters().statistics()
    assert (statistics["decisions"], statistics["tasks"]) == (0, {})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", statistics["since"])


def test_shares_and_mean_confidence_are_over_versions_and_tiers(spam_cascade: Cascade) -> None:
    counters = Counters()
    texts = ["free prize, call now", "claim your cash prize", "lunch?"]
    first = spam_cascade.at_version("1").decide(texts)
    second = spam_cascade.at_version("2").decide(texts[:1])
    for decisions in (first, second):
        counters.decided(decisions)
    tally = counters.statistics()["tasks"]["spam"]
    assert (tally["decisions"], tally["labels"]) == (4, {"ham": 1, "spam": 3})
    assert tally["shares"] == {"ham": 0.25, "spam": 0.75}
    mean = sum(each.confidence for each in (*first, *second)) / 4
    assert abs(tally["mean_confidence"] - mean) < 1e-12
