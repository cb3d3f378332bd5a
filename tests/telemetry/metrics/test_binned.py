"""Values counted by bucket: as Prometheus' library would have counted them one by one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from assay.telemetry.metrics.binned import Binned
from assay.telemetry.metrics.families import BUCKETS, SCORE_BUCKETS, TEXT_BUCKETS

ALL = pytest.mark.parametrize("bounds", [BUCKETS, TEXT_BUCKETS, SCORE_BUCKETS])


def shown(histogram: Histogram) -> tuple[list[float], float]:
    """Return what a histogram tells: the counts of its buckets, and the sum."""
    [metric] = histogram.collect()
    of = {name: [s.value for s in metric.samples if s.name == f"h_{name}"] for name in ("bucket", "sum")}
    return of["bucket"], of["sum"][0]


def histogram(bounds: tuple[float, ...]) -> Histogram:
    """Return a histogram of its own."""
    return Histogram("h", "h", buckets=bounds, registry=CollectorRegistry())


@ALL
def test_values_at_and_beside_each_bound_fall_where_the_library_puts_them(bounds: tuple[float, ...]) -> None:
    beside = [math.nextafter(bound, to) for bound in bounds for to in (-math.inf, math.inf)]
    values = [*bounds, *beside, 0.0, bounds[-1] * 10]
    ours, theirs, binned = histogram(bounds), histogram(bounds), Binned(bounds)
    for value in values:
        binned.add(value)
        theirs.observe(value)
    binned.add_to(ours)
    assert shown(ours)[0] == shown(theirs)[0]
    assert shown(ours)[1] == pytest.approx(shown(theirs)[1])
    assert sum(binned.counts) == len(values)


@given(st.lists(st.lists(st.floats(0, 20), max_size=8), max_size=5))
def test_several_that_are_joined_count_as_one(parts: list[list[float]]) -> None:
    whole, theirs, ours = Binned(BUCKETS), histogram(BUCKETS), histogram(BUCKETS)
    for part in parts:
        some = Binned(BUCKETS)
        for value in part:
            some.add(value)
            theirs.observe(value)
        whole.join(some)
    whole.add_to(ours)
    assert shown(ours)[0] == shown(theirs)[0]
    assert shown(ours)[1] == pytest.approx(shown(theirs)[1])
