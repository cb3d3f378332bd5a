"""Every decision counts once in every statistic that speaks of it, however decisions are split."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.estimators import Observation, bins_of
from assay.telemetry import Binning
from tests.telemetry.drift.profiles import categories, numbers, profile, record, usual

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
SEEN = st.lists(
    st.builds(
        Observation,
        label=st.sampled_from(["ham", "spam"]),
        score=st.none() | FLOATS,
        confidence=st.floats(0, 1),
        threshold=st.just(0.5),
        rule=st.sampled_from([None, "prize"]),
        characters=st.integers(0, 10**6),
        unknown=st.none() | st.floats(0, 1),
    ),
    max_size=60,
)


@given(SEEN)
def test_a_decision_is_in_one_bin_of_each_statistic_that_speaks_of_it(seen: list[Observation]) -> None:
    for reference in profile().statistics:
        found = bins_of(reference, seen)
        scored = [each.score is not None and not np.isnan(each.score) for each in seen]
        speaks = scored if reference.name in ("above", "near", "score") else [True] * len(seen)
        assert (found >= 0).tolist() == speaks
        assert (found < len(reference.counts)).all()


@given(SEEN, st.lists(st.integers(0, 60), max_size=4))
def test_counts_add_up_over_any_split(seen: list[Observation], cuts: list[int]) -> None:
    binning = Binning(profile())
    ends = [0, *sorted(cuts), 60]
    parts = [binning.counts(seen[begin:end]) for begin, end in itertools.pairwise(ends)]
    assert sum(parts, start=0 * parts[0]).tolist() == binning.counts(seen).tolist()


@given(st.lists(st.floats(-10, 10), min_size=1), st.lists(st.floats(-10, 10), min_size=1, unique=True))
def test_a_number_lies_between_the_edges_of_its_bin(values: list[float], edges: list[float]) -> None:
    edges = sorted(set(edges))
    reference = numbers("score", dict.fromkeys([*edges, 99.0], 0))
    for value, found in zip(values, bins_of(reference, [record(each) for each in values]), strict=True):
        assert found == 0 or edges[found - 1] <= value
        assert found == len(edges) or value < edges[found]


def test_the_operating_point_and_the_band_belong_to_what_they_open() -> None:
    above, near = profile().statistics[2:4]
    seen = [record(score) for score in (0.39, 0.4, 0.5, 0.6, 0.61, None)]
    assert bins_of(above, seen).tolist() == [1, 1, 0, 0, 0, -1]
    assert bins_of(near, seen).tolist() == [1, 0, 0, 0, 1, -1]


def test_a_rule_may_be_called_like_the_model() -> None:
    deciders = categories("decided_by", {"model": 1, "prize": 1})
    renamed = deciders.model_copy(update={"labels": ("model", "model")})
    assert bins_of(renamed, [record(0.1), record(None, rule="model")]).tolist() == [0, 1]


def test_what_is_none_of_the_versions_is_in_no_bin() -> None:
    label, decided_by = profile().statistics[:2]
    assert bins_of(label, [record(label="eggs")]).tolist() == [-1]
    assert bins_of(decided_by, [record(None, rule="new")]).tolist() == [-1]


def test_parts_are_those_of_the_whole() -> None:
    binning = Binning(profile())
    seen = usual(500)
    parts = {reference.name: counts for reference, counts in binning.parts(binning.counts(seen))}
    assert parts["label"].tolist() == [
        sum(each.label == "ham" for each in seen),
        sum(each.label == "spam" for each in seen),
    ]
    assert parts["characters"].sum() == 500
    assert sum(map(len, parts.values())) == binning.size
