"""What ``/health`` tells of the decisions."""

import re

from assay.estimators import Cascade
from assay.service import Exchange
from assay.telemetry import Counters
from assay.telemetry.metrics.statistics import TOP_RULES
from tests.telemetry.test_counters import decision


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


def answered(status: int, seconds: float, *, task: str = "spam", code: str = "") -> Exchange:
    """Return a request that was answered."""
    call = {"method": "POST", "path": "/predict", "route": "/predict", "task": task, "code": code}
    return Exchange(request_id="1", status=status, seconds=seconds, **call)  # type: ignore[arg-type]


def test_requests_failures_and_latencies_are_told_by_task_and_together() -> None:
    counters = Counters()
    for _ in range(98):
        counters.request(answered(200, 0.004))
    counters.request(answered(422, 0.004, code="invalid_request"))
    counters.request(answered(500, 4.0, code="internal_error"))
    for _ in range(300):
        counters.request(answered(200, 0.00001, task=""))
    statistics = counters.statistics()
    spam = statistics["tasks"]["spam"]
    assert (spam["requests"], spam["failed"], spam["error_rate"]) == (100, 1, 0.01)
    assert (statistics["requests"], statistics["failed"], statistics["error_rate"]) == (400, 1, 1 / 400)
    assert statistics["errors"] == {"internal_error": 1, "invalid_request": 1}
    assert list(statistics["tasks"]) == ["spam"]
    # Looks at health are no latencies of decisions; the bucket before the one with values bounds it.
    assert statistics["latency"] == spam["latency"]
    assert 0.0025 < spam["latency"]["p50"] < spam["latency"]["p95"] < spam["latency"]["p99"] == 0.005


def test_nothing_has_shares_or_latencies_at_first() -> None:
    statistics = Counters().statistics()
    assert (statistics["requests"], statistics["error_rate"], statistics["errors"]) == (0, None, {})
    assert statistics["latency"] == {"p50": None, "p95": None, "p99": None}


def test_tiers_rules_versions_and_reviews_are_told(ruled_cascade: Cascade) -> None:
    counters = Counters()
    counters.decided(ruled_cascade.at_version("3").decide(["is mum at home", "a cash prize, call for it"]))
    counters.decided([decision(0.5, version="4", review=True), decision(0.1, version="4")])
    told = counters.statistics()["tasks"]["spam"]
    assert told["tiers"] == {"model": 2, "rule": 2}
    assert told["rules"] == {"family": 1, "prize-claim": 1}
    assert told["versions"] == {"3": 2, "4": 2}
    assert told["review_share"] == 0.25


def test_the_rules_that_decided_most_are_named() -> None:
    counters = Counters()
    for number in range(TOP_RULES + 5):
        counters._families.decisions.labels("spam", "1", "spam", "rule", f"r{number}").inc(number)
    rules = counters.statistics()["tasks"]["spam"]["rules"]
    assert list(rules) == [f"r{number}" for number in range(TOP_RULES + 4, 4, -1)]


def test_a_task_that_was_asked_and_decided_nothing_has_no_shares() -> None:
    counters = Counters()
    counters.request(answered(422, 0.001, code="invalid_request"))
    told = counters.statistics()["tasks"]["spam"]
    assert (told["decisions"], told["mean_confidence"], told["review_share"]) == (0, None, None)
    assert (told["requests"], told["failed"]) == (1, 0)
