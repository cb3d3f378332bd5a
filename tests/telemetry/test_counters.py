"""What Prometheus reads."""

from prometheus_client.parser import text_string_to_metric_families

from assay.estimators import Cascade
from assay.service import Exchange
from assay.telemetry import Counters


def answered(*, status: int = 200, seconds: float = 0.001) -> Exchange:
    """Return a request for decisions that was answered."""
    call = {"method": "POST", "path": "/predict", "route": "/predict"}
    return Exchange(request_id="1", status=status, seconds=seconds, **call)


def samples(counters: Counters) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample that a scrape reads, by name and labels."""
    families = text_string_to_metric_families(counters.render().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_route_method_and_status() -> None:
    counters = Counters()
    for status in (200, 200, 422):
        counters.request(answered(status=status))
    read = samples(counters)
    labels, task = (("method", "POST"), ("route", "/predict")), ("task", "")
    assert read["assay_requests_total", (*labels, ("status", "200"), task)] == 2
    assert read["assay_requests_total", (*labels, ("status", "422"), task)] == 1
    assert read["assay_request_seconds_count", (*labels, task)] == 3


def test_latencies_from_microseconds_to_seconds_fall_into_different_buckets() -> None:
    counters = Counters()
    for seconds in (0.00004, 0.0002, 0.002, 0.02, 0.2, 2.0, 60.0):
        counters.request(answered(seconds=seconds))
    buckets = [
        value for (name, _), value in samples(counters).items() if name == "assay_request_seconds_bucket"
    ]
    assert sorted(set(buckets)) == [1, 2, 3, 4, 5, 6, 7]


def test_decisions_are_counted_by_task_version_label_and_tier(spam_cascade: Cascade) -> None:
    counters = Counters()
    decisions = spam_cascade.at_version("3").decide(
        ["free prize, call now", "claim your cash prize", "lunch?"]
    )
    counters.decided(decisions)
    counters.decided(decisions[:1])
    read = samples(counters)
    for label, count in (("spam", 3), ("ham", 1)):
        labels = {"decided_by": "model", "label": label, "rule": "", "task": "spam", "version": "3"}
        assert read["assay_decisions_total", tuple(labels.items())] == count


def test_two_sets_of_counters_share_nothing(spam_cascade: Cascade) -> None:
    one, other = Counters(), Counters()
    one.decided(spam_cascade.decide(["hello"]))
    assert not any(name == "assay_decisions_total" for name, _ in samples(other))


def test_errors_are_counted_by_code_and_rows_by_task() -> None:
    counters = Counters()
    exchange = answered(status=422)
    exchange.code, exchange.task, exchange.rows, exchange.row_errors = "invalid_request", "spam", 10, 3
    counters.request(exchange)
    counters.request(answered())
    read = samples(counters)
    assert read["assay_errors_total", (("code", "invalid_request"),)] == 1
    assert read["assay_batch_rows_total", (("task", "spam"),)] == 10
    assert read["assay_batch_row_errors_total", (("task", "spam"),)] == 3


def test_refusals_swaps_and_troubles_are_told() -> None:
    counters = Counters()
    counters.rejected("delay")
    counters.swapped("spam", "done")
    counters.degraded("redis", True)
    counters.degraded("redis", False)
    counters.load(delay=0.25, in_flight=3, connections=7)
    read = samples(counters)
    assert read["assay_rejected_total", (("reason", "delay"),)] == 1
    assert read["assay_swaps_total", (("outcome", "done"), ("task", "spam"))] == 1
    assert read["assay_degraded", (("part", "redis"),)] == 0
    assert [read[name, ()] for name in ("assay_in_flight", "assay_connections")] == [3, 7]
    assert read["assay_loop_delay_seconds", ()] == 0.25


def test_one_version_of_a_task_is_served_at_a_time() -> None:
    counters = Counters()
    for version in ("1", "2"):
        counters.serving("spam", version)
    read = samples(counters)
    assert read["assay_served", (("task", "spam"), ("version", "1"))] == 0
    assert read["assay_served", (("task", "spam"), ("version", "2"))] == 1
