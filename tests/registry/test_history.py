"""Who sat on a seat when, against a reading by brute force."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assay.audit import Entry
from assay.registry import tenure_at, tenures

START = datetime(2026, 11, 17, tzinfo=UTC)


def entry(number: int, minute: float, action: str, after: str | None, **fields: object) -> Entry:
    """Return an entry of the log, some minutes after the start."""
    values = {
        **{"number": number, "at": START + timedelta(minutes=minute), "who": "ada", "action": action},
        **{"model": "Spam", "seat": "production", "before": None, "after": after, "reason": ""},
        **{"kind": "promotion", "evidence": {}, "previous": "", "hash": str(number)},
    }
    return Entry.model_validate({**values, **fields})


def minutes(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - START) / timedelta(minutes=1)


def stretches(entries: list[Entry]) -> list[tuple[str | None, float | None, float | None]]:
    return [(each.version, minutes(each.since), minutes(each.until)) for each in tenures(entries)]


def test_each_version_sits_until_the_next_takes_over() -> None:
    log = [
        entry(1, 0, "promoting", "1"),
        entry(2, 1, "promoted", "1"),
        entry(3, 10, "promoting", "2"),
        entry(4, 10, "promoted", "2"),
        entry(5, 20, "edited", None, kind="edit"),
    ]
    assert stretches(log) == [("1", 0, 10), ("2", 10, 20), (None, 20, None)]
    assert [each.entry.number for each in tenures(log)] == [2, 4, 5]


def test_what_was_abandoned_or_is_unfinished_is_no_tenure() -> None:
    log = [
        entry(1, 0, "promoted", "1"),
        entry(2, 5, "promoting", "2"),
        entry(3, 6, "abandoned", "2"),
        entry(4, 7, "promoting", "3"),
    ]
    assert stretches(log) == [("1", 0, None)]


def test_a_promotion_that_was_completed_late_dates_from_its_intent() -> None:
    log = [entry(1, 0, "promoting", "1"), entry(2, 500, "promoted", "1")]
    assert stretches(log) == [("1", 0, None)]


def test_an_intent_for_another_version_or_one_given_up_dates_nothing() -> None:
    log = [
        entry(1, 0, "promoting", "1"),
        entry(2, 1, "abandoned", "1"),
        entry(3, 9, "promoted", "1"),
        entry(4, 10, "promoting", "5"),
        entry(5, 12, "edited", "3", kind="edit"),
        entry(6, 20, "promoted", "4"),
    ]
    assert stretches(log) == [("1", 9, 12), ("3", 12, 20), ("4", 20, None)]


def test_an_edit_dates_from_when_it_was_noticed_and_no_tenure_begins_before_the_one_before() -> None:
    log = [
        entry(1, 0, "promoting", "1"),
        entry(2, 4, "edited", "1", kind="edit"),
        entry(3, 5, "promoting", "3"),
        entry(4, 9, "edited", "2", kind="edit"),
        entry(5, 20, "promoted", "3"),
    ]
    assert stretches(log) == [("1", 4, 9), ("2", 9, 9), ("3", 9, None)]


def test_the_same_version_again_is_the_same_tenure() -> None:
    log = [
        entry(1, 0, "promoted", "1"),
        entry(2, 5, "promoted", "1", kind="override"),
        entry(3, 9, "promoted", "2"),
        entry(4, 12, "promoted", "1", kind="rollback"),
    ]
    assert stretches(log) == [("1", 0, 9), ("2", 9, 12), ("1", 12, None)]


def test_seats_are_apart() -> None:
    log = [entry(1, 0, "promoted", "1"), entry(2, 5, "promoted", "2", seat="staging")]
    assert [each.version for each in tenures(log)] == ["1"]
    assert [each.version for each in tenures(log, "staging")] == ["2"]
    assert tenure_at(log, START, "staging") is None


def test_no_entries_are_no_tenures() -> None:
    assert tenures([]) == []
    assert tenure_at([], START) is None


def logs() -> st.SearchStrategy[list[Entry]]:
    """Return logs whose times never run backwards, often stand still, with all kinds of entries."""
    steps = st.tuples(
        st.integers(0, 3),
        st.sampled_from(["promoting", "promoted", "abandoned", "edited"]),
        st.sampled_from(["1", "2", "3", None]),
        st.sampled_from(["production", "staging"]),
    )

    def build(drawn: list[tuple[int, str, str | None, str]]) -> list[Entry]:
        minute, found = 0, []
        for number, (pause, action, after, seat) in enumerate(drawn, start=1):
            minute += pause
            found.append(entry(number, minute, action, after, seat=seat))
        return found

    return st.lists(steps, max_size=12).map(build)


def dated(log: list[Entry], place: int) -> datetime:
    """Return since when a completed change holds: its intent, when that is the last word before it."""
    change = log[place]
    words = [each for each in log[:place] if each.seat == "production" and each.action != "edited"]
    begun = words and words[-1].action == "promoting" and words[-1].after == change.after
    return words[-1].at if begun and change.action == "promoted" else change.at


def sat_at(log: list[Entry], moment: datetime) -> str | None:
    """Read the whole log for one moment: who had taken over last by then."""
    sitting, latest = None, START
    for place, each in enumerate(log):
        if each.seat == "production" and each.action in ("promoted", "edited"):
            latest = max(latest, dated(log, place))
            sitting = each.after if latest <= moment else sitting
    return sitting


@given(log=logs(), minute=st.integers(-1, 40))
def test_tenures_are_what_a_reading_by_brute_force_finds(log: list[Entry], minute: int) -> None:
    found = tenures(log)
    assert all(earlier.until == later.since for earlier, later in pairwise(found))
    assert all(earlier.version != later.version for earlier, later in pairwise(found))
    assert [each.until for each in found[-1:]] == [None] * len(found[-1:])
    moment = START + timedelta(minutes=minute)
    tenure = tenure_at(log, moment)
    assert (tenure.version if tenure else None) == sat_at(log, moment)
    assert tenure is None or tenure.since <= moment
