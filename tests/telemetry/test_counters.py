"""What Prometheus reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from assay.estimators import Cascade, Decision
from assay.service import Exchange
from assay.telemetry import Counters
from assay.telemetry.metrics.process import Usage
from tests.telemetry.scraped import samples, value

COUNTED = {
    "assay_decisions_total", "assay_confidence_total", "assay_reviews_total", "assay_score_bucket",
    "assay_score_sum",
}  # fmt: skip


def nothing() -> Usage:
    """Return what a process uses that uses nothing."""
    return Usage(resident=0, cpu=0.0, files=0, threads=0)


def answered(*, status: int = 200, seconds: float = 0.001) -> Exchange:
    """Return a request for decisions that was answered."""
    call = {"method": "POST", "path": "/predict", "route": "/predict"}
    return Exchange(request_id="1", status=status, seconds=seconds, **call)


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


def test_decisions_of_rules_are_counted_by_rule_and_have_no_score(ruled_cascade: Cascade) -> None:
    counters = Counters()
    counters.decided(ruled_cascade.decide(["is mum at home"]))
    labels = {"task": "spam", "version": "", "label": "ham", "decided_by": "rule", "rule": "family"}
    assert value(counters, "assay_decisions_total", **labels) == 1
    assert value(counters, "assay_score_count", task="spam", version="") == 0


def decision(score: float, *, version: str = "1", review: bool = False) -> Decision:
    """Return a decision of a model."""
    return Decision(
        task="spam", label="ham", confidence=1 - score, score=score, threshold=0.5, decided_by="model",
        model="M", version=version, review=review,
    )  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from("12"), st.booleans()), max_size=30))
def test_many_decisions_are_counted_as_one_by_one(drawn: list[tuple[float, str, bool]]) -> None:
    together, single = Counters(used=nothing), Counters(used=nothing)
    decisions = [decision(score, version=version, review=review) for score, version, review in drawn]
    together.decided(decisions)
    for each in decisions:
        single.decided([each])
    found = [
        {key: number for key, number in samples(counters).items() if key[0] in COUNTED}
        for counters in (together, single)
    ]
    assert found[0] == pytest.approx(found[1])
    assert sum(n for (name, _), n in found[0].items() if name == "assay_reviews_total") == sum(
        review for *_, review in drawn
    )


@pytest.mark.parametrize("count", [1, 2])
def test_a_score_on_the_bound_of_a_bucket_is_in_it(count: int) -> None:
    counters = Counters()
    counters.decided([decision(0.25)] * count)
    labels = {"task": "spam", "version": "1"}
    assert value(counters, "assay_score_bucket", **labels, le="0.2") == 0
    assert value(counters, "assay_score_bucket", **labels, le="0.25") == count


def test_texts_are_counted_for_requests_and_rows_for_files() -> None:
    counters = Counters()
    for texts, rows in ((1, 0), (40, 0), (500, 500)):
        exchange = answered()
        exchange.task, exchange.texts, exchange.rows = "spam", texts, rows
        counters.request(exchange)
    assert value(counters, "assay_request_texts_count", task="spam") == 2
    assert value(counters, "assay_request_texts_sum", task="spam") == 41
    assert value(counters, "assay_request_texts_bucket", task="spam", le="1.0") == 1
    assert value(counters, "assay_batch_rows_total", task="spam") == 500


def test_the_queue_the_log_and_feedback_are_told() -> None:
    counters = Counters()
    counters.load(delay=0.0, in_flight=5, connections=6, waiting=2, texts=700)
    counters.logged(3, 900)
    counters.unlogged_decisions(4)
    counters.log_state(12, 1.5)
    counters.feedback("spam", "kept")
    read = samples(counters)
    names = ("waiting", "deciding_texts", "decision_log_written_total", "decision_log_bytes_total")
    assert [read[f"assay_{name}", ()] for name in names] == [2, 700, 3, 900]
    assert read["assay_decision_log_dropped_total", ()] == 4
    assert (read["assay_decision_log_waiting", ()], read["assay_decision_log_lag_seconds", ()]) == (12, 1.5)
    assert read["assay_feedback_total", (("outcome", "kept"), ("task", "spam"))] == 1


def test_nothing_is_told_of_a_registry_before_it_was_asked() -> None:
    counters = Counters()
    assert not any(name.startswith("assay_registry") for name, _ in samples(counters))
    counters.registry(False, 12.5, 2)
    read = samples(counters)
    assert [read[f"assay_registry_{name}", ()] for name in ("answering", "age_seconds", "wanted")] == [
        0, 12.5, 2,
    ]  # fmt: skip


def test_what_the_process_uses_is_told_and_its_computing_only_rises() -> None:
    used = [Usage(resident=10, cpu=2.0, files=3, threads=4), Usage(resident=20, cpu=5.0, files=3, threads=4)]
    counters = Counters(used=lambda: used[0])
    assert value(counters, "assay_resident_bytes") == 10
    used.pop(0)
    counters._looked = -1e9
    read = samples(counters)
    assert [read[f"assay_{name}", ()] for name in ("resident_bytes", "open_files", "threads")] == [20, 3, 4]
    assert read["assay_cpu_seconds_total", ()] == 5


def test_a_process_that_can_open_no_file_goes_on_counting() -> None:
    def unreadable() -> Usage:
        raise OSError(24, "Too many open files")

    counters = Counters(used=unreadable)
    counters.load(delay=0.0, in_flight=1, connections=2)
    assert value(counters, "assay_in_flight") == 1


def test_what_is_listed_is_what_a_scrape_shows() -> None:
    counters = Counters()
    listed = {family.name: family for family in counters._families.listed}
    families = text_string_to_metric_families(counters.render().decode())
    shown = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in families
        if not family.name.endswith("_created")
    }
    assert shown == {name: family.kind for name, family in listed.items()}
    counters.serving("spam", "1")
    for (name, labels), _ in samples(counters).items():
        if name in listed:
            assert {label for label, _ in labels} == set(listed[name].labels)
