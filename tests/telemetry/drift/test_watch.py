"""One version's stream: no alarm without a change, one for each change, none for what is too small."""

import pytest

from assay.estimators import Profile
from assay.telemetry import BLOCK, FALSE_ALARMS, WINDOW, Change, Watch, distance_of, level_of
from assay.telemetry.drift.watch import differs
from tests.telemetry.drift.profiles import Record, categories, numbers, profile, record, spammy, usual


def fed(watch: Watch, records: list[Record], at: float = 0.0, block: int = BLOCK) -> list[Change]:
    """Give a watch decisions in blocks; return the changes that it tells of."""
    found = []
    for begin in range(0, len(records), block):
        part = records[begin : begin + block]
        found += watch.advance(len(part), watch.binning.counts(part), at + begin)
    return found


def test_decisions_like_those_of_the_profile_raise_no_alarm() -> None:
    watch = Watch(profile(scale=20))
    assert fed(watch, usual(20_000)) == []
    assert watch.reason is None
    assert set(watch.distances) == {each.name for each in watch.profile.statistics}
    assert watch.decisions == 20_000


def test_an_alarm_begins_once_and_ends_after_a_full_window_without() -> None:
    watch = Watch(profile(scale=20))
    fed(watch, usual(1_500))
    changes = fed(watch, [*usual(70, seed=1), *spammy(30)] * 10, at=100.0)
    assert [change.name for change in changes if not change.begins] == []
    begun = {change.name: change.told for change in changes}
    assert begun["above"].endswith(
        "decisions have a score at or above the threshold, 11 % when it was trained (PSI 0.03)"
    )
    assert "label" in begun
    since = watch.alarms["above"].since
    assert fed(watch, [*usual(70, seed=1), *spammy(30)] * 5, at=2_000.0) == []
    assert watch.alarms["above"].since == since
    after = fed(watch, usual(3_000, seed=2), at=4_000.0)
    assert {(change.name, change.begins) for change in after} == {(name, False) for name in begun}
    assert watch.alarms == {}


def test_an_alarm_that_flickers_is_one() -> None:
    watch = Watch(profile(scale=20))
    fed(watch, usual(1_000))
    changes = []
    for seed in range(6):
        changes += fed(watch, spammy(300))
        changes += fed(watch, usual(900, seed=seed))
    assert [change.name for change in changes if change.name == "above"] == ["above"]


def test_nothing_is_told_before_a_full_window() -> None:
    watch = Watch(profile())
    assert fed(watch, spammy(950)) == []
    assert watch.reason == "too few decisions yet: 950; 1,000 are needed"
    assert {change.name for change in fed(watch, spammy(50))} >= {"above", "label", "score"}
    assert watch.reason is None


def test_too_few_reference_rows_are_never_tested() -> None:
    few = Profile(task="spam", rows=99, statistics=(categories("label", {"ham": 90, "spam": 9}),))
    watch = Watch(few)
    assert fed(watch, spammy(3_000)) == []
    assert watch.reason == "its profile has 99 rows; 100 are needed"
    assert watch.distances == {}


def test_a_statistic_of_too_few_rows_is_left_out_and_the_others_are_not() -> None:
    whole = profile()
    scores = numbers("score", {0.5: 40, 1.0: 20})
    known = tuple(scores if each.name == "score" else each for each in whole.statistics)
    watch = Watch(whole.model_copy(update={"statistics": known}))
    fed(watch, spammy(1_000))
    assert "score" not in watch.distances
    assert "label" in watch.alarms


def test_blocks_may_be_larger_than_the_window_and_smaller_than_a_look() -> None:
    watch = Watch(profile(scale=20))
    assert fed(watch, usual(7_000), block=7_000) == []
    assert (watch.held, watch.reason) == (7_000, None)
    fed(watch, usual(1_000), block=7)
    assert WINDOW <= watch.held < WINDOW + 7_000
    assert sum(held for held, _ in watch.blocks) == watch.held
    assert all(held >= BLOCK for held, _ in watch.blocks)


def test_memory_does_not_grow() -> None:
    watch = Watch(profile())
    fed(watch, usual(30_000))
    assert len(watch.blocks) == WINDOW // BLOCK


def test_another_process_goes_on_where_one_ended() -> None:
    first, second = Watch(profile(scale=20)), Watch(profile(scale=20))
    mixed = [*usual(1_450), *spammy(300), *usual(333, seed=3)]
    fed(first, mixed)
    second.resume(first.kept())
    assert second.kept() == first.kept()
    assert second.alarms
    rest = usual(2_000, seed=4)
    assert fed(second, rest, at=9.0) == fed(first, rest, at=9.0) != []


@pytest.mark.parametrize(
    "damage",
    [
        {"blocks": []},
        {"blocks": [[1, [0]]]},
        {"blocks": [[1, ["x"]]]},
        {"alarms": {"label": [1]}},
        {"blocks": 3},
        {"decisions": None},
    ],
)
def test_windows_that_are_none_are_refused(damage: dict[str, object]) -> None:
    watch = Watch(profile())
    with pytest.raises((ValueError, TypeError)):
        watch.resume(watch.kept() | damage)


def test_all_tests_of_a_look_together_keep_to_the_false_alarms_of_its_decisions() -> None:
    whole = profile()
    assert level_of(whole) * 8 == pytest.approx(FALSE_ALARMS * BLOCK)
    assert level_of(Profile(task="spam", rows=0, statistics=())) == FALSE_ALARMS * BLOCK


def test_a_difference_that_is_sure_and_small_is_no_alarm() -> None:
    label = categories("label", {"ham": 500_000, "spam": 500_000})
    small, large = (distance_of(label, [100_000 - moved, 100_000 + moved]) for moved in (10_000, 16_000))
    assert small.p < 1e-30
    assert not differs(label, small, 1e-5)
    assert differs(label, large, 1e-5)


def test_a_difference_that_chance_may_make_is_no_alarm() -> None:
    label = categories("label", {"ham": 50, "spam": 50})
    found = distance_of(label, [640, 360])
    assert found.psi - found.chance > 0.05
    assert not differs(label, found, 1e-5)


def test_the_end_is_told_also_where_no_decision_has_a_value() -> None:
    watch = Watch(profile(scale=20))
    fed(watch, spammy(1_000))
    ends = fed(watch, [record(None) for _ in range(3_000)])
    told = {change.name: change.told for change in ends if not change.begins}
    assert told["score"] == told["near"] == "no decision has a value any more"
