"""The algorithm: what it lets through, and what it says to who has to wait."""

from hypothesis import given
from hypothesis import strategies as st

from assay.access import Rate, Verdict, take

RATES = st.builds(Rate, st.integers(1, 2_000), st.sampled_from([1, 60, 3_600, 86_400]))
STARTS = st.sampled_from([1, 12_500_000, 1_800_000_000_000_000])
SECOND = 1_000_000


def asked(rate: Rate, moments: list[int], arrival: int = 0) -> list[Verdict]:
    """Return the verdicts of requests that come at these moments."""
    verdicts = []
    for now in moments:
        arrival, verdict = take(arrival, now, rate)
        verdicts.append(verdict)
    return verdicts


@given(RATES, STARTS)
def test_a_burst_passes_and_no_more(rate: Rate, start: int) -> None:
    verdicts = asked(rate, [start] * (rate.burst + 3))
    assert [each.allowed for each in verdicts] == [True] * rate.burst + [False] * 3
    assert [each.remaining for each in verdicts[: rate.burst]] == list(range(rate.burst - 1, -1, -1))
    assert verdicts[-1].remaining == 0


@given(RATES, STARTS, st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_no_span_of_time_sees_more_than_its_share_and_a_burst(
    rate: Rate, start: int, pauses: list[int]
) -> None:
    now, moments = start, []
    for pause in pauses:
        now += pause * rate.interval // 100
        moments += [now] * 40
    passed = [at for at, each in zip(moments, asked(rate, moments), strict=True) if each.allowed]
    for first in range(0, len(passed), 7):
        for last in range(first, len(passed), 7):
            share = (passed[last] - passed[first]) / rate.interval
            assert last - first + 1 <= rate.burst + share + 0.01


@given(RATES, STARTS, st.integers(1, 50))
def test_who_waits_as_long_as_told_passes_and_not_before(rate: Rate, start: int, more: int) -> None:
    arrival = 0
    for _ in range(rate.burst + more):
        arrival, verdict = take(arrival, start, rate)
    assert not verdict.allowed
    wait, reset = (round(each * SECOND) for each in (verdict.retry_after, verdict.reset))
    assert not take(arrival, start + wait - 1, rate)[1].allowed
    assert take(arrival, start + wait, rate)[1].allowed
    assert take(arrival, start + reset, rate)[1].remaining == rate.burst - 1
    assert take(arrival, start + reset - 1, rate)[1].remaining < rate.burst - 1 or rate.burst == 1


@given(RATES, STARTS, st.integers(-(10**15), 10**15))
def test_a_clock_that_jumps_makes_nobody_wait_longer_than_a_burst_takes(
    rate: Rate, start: int, jump: int
) -> None:
    arrival = 0
    for _ in range(rate.burst):
        arrival, _ = take(arrival, start, rate)
    _, verdict = take(arrival, max(0, start + jump), rate)
    assert verdict.retry_after <= rate.interval / SECOND
    assert verdict.reset <= rate.burst * rate.interval / SECOND


def test_a_look_counts_nothing() -> None:
    rate = Rate(2, 1)
    arrival, _ = take(0, 10 * SECOND, rate)
    for _ in range(5):
        arrival, looked = take(arrival, 10 * SECOND, rate, cost=0)
        assert (looked.allowed, looked.remaining) == (True, 1)
    arrival, _ = take(arrival, 10 * SECOND, rate)
    assert not take(arrival, 10 * SECOND, rate, cost=0)[1].allowed


def test_headers_are_whole_seconds_that_are_enough() -> None:
    passed, refused = asked(Rate(1, 60), [100 * SECOND, 100 * SECOND + SECOND // 2])
    assert passed.headers() == {"RateLimit-Limit": "1", "RateLimit-Remaining": "0", "RateLimit-Reset": "60"}
    assert refused.headers() == {"Retry-After": "60"} | passed.headers()
    assert asked(Rate(100, 1), [5 * SECOND] * 101)[-1].headers()["Retry-After"] == "1"


def test_a_rate_that_was_lowered_holds_at_once_and_one_that_was_raised_soon() -> None:
    arrival, now = 0, 50 * SECOND
    for _ in range(100):
        arrival, _ = take(arrival, now, Rate(100, 1))
    assert not take(arrival, now, Rate(1, 1))[1].allowed
    arrival, _ = take(0, now, Rate(1, 86_400))
    refused = take(arrival, now, Rate(100, 1))[1]
    assert (refused.allowed, refused.retry_after) == (False, 0.01)
