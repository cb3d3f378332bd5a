from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.datasets import Rows
from assay.evaluation.rowwise import Grouping, Rowwise, pack, rowwise
from assay.evaluation.slices import Slice, groups_of, slices_of

TEXT = st.text(alphabet="ab", min_size=1, max_size=9)
ROWS = st.lists(st.tuples(TEXT, st.sampled_from(["ham", "spam"]), st.sampled_from("uvw")), max_size=25)


def rows_of(rows: list[tuple[str, str, str]]) -> Rows:
    texts, labels, days = ([row[at] for row in rows] for at in range(3))
    return Rows(texts, labels, {"day": days})


def of_lengths(*lengths: int) -> Rows:
    return Rows(["x" * length for length in lengths], ["ham"] * len(lengths))


def grouped(rows: Rows, **masks: np.ndarray | None) -> dict[str, Grouping]:
    none = np.zeros(len(rows), np.bool_)
    return groups_of(rows, near=masks.get("near"), ruled=masks.get("ruled", none))  # type: ignore[arg-type]


def values(grouping: Grouping) -> list[str]:
    """Return the value of each row."""
    return [grouping.values[number] for number in grouping.numbers()]


def sliced(
    kept: Rowwise, *, labels: int = 2, positive: int | None = 1, seed: int = 0
) -> dict[tuple[str, str], Slice]:
    found = slices_of(kept, labels=labels, positive=positive, resamples=60, seed=seed)
    return {(one.by, one.value): one for one in found}


def kept_rows(truth: list[int], decided: list[int], **groups: list[str]) -> Rowwise:
    names = {by: tuple(dict.fromkeys(given)) for by, given in groups.items()}
    packed = {
        by: Grouping(
            values=names[by], rows=pack(np.array([names[by].index(value) for value in given], np.int64))
        )
        for by, given in groups.items()
    }
    return rowwise(np.array(truth, np.int64), np.array(decided, np.int64), packed, order=range(len(truth)))


def test_lengths_fall_into_the_quartiles_of_the_rows() -> None:
    found = grouped(of_lengths(*range(1, 41)))["length"]
    assert found.values == (
        "up to 10 characters",
        "11 to 20 characters",
        "21 to 30 characters",
        "over 30 characters",
    )
    assert Counter(values(found)) == dict.fromkeys(found.values, 10)


@pytest.mark.parametrize(
    ("lengths", "names"),
    [
        ([], ()),
        ([1], ("up to 1 character",)),
        ([7] * 9, ("up to 7 characters",)),
        ([1, 1, 1, 1, 2], ("up to 1 character", "over 1 character")),
        ([1, 2, 3, 4], ("up to 1 character", "2 characters", "3 characters", "over 3 characters")),
        ([5, 5, 5, 5, 5, 5, 9, 1000, 2000], ("up to 5 characters", "6 to 9 characters", "over 9 characters")),
        ([1000, 2000, 3000, 4000, 5000], ("up to 2,000 characters", "2,001 to 3,000 characters",
                                          "3,001 to 4,000 characters", "over 4,000 characters")),
    ],
)  # fmt: skip
def test_lengths_that_repeat_share_a_slice(lengths: list[int], names: tuple[str, ...]) -> None:
    found = grouped(of_lengths(*lengths))["length"]
    assert found.values == names
    assert set(values(found)) == set(names)


@given(ROWS)
def test_every_row_lies_in_the_range_that_its_length_names(given_rows: list[tuple[str, str, str]]) -> None:
    rows = rows_of(given_rows)
    found = values(grouped(rows)["length"])
    for at, name in zip(rows.order, found, strict=True):
        size = len(rows.texts[at])
        numbers = [int(word) for word in name.split() if word.isdigit()]
        if name.startswith("up to"):
            assert size <= numbers[0]
        elif name.startswith("over"):
            assert size > numbers[0]
        else:
            assert numbers[0] <= size <= numbers[-1]


@given(ROWS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_in_which_rows_were_read_changes_no_group(
    pair: tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]],
) -> None:
    one, two = (
        grouped(rows_of(rows), near=np.array(["a" in row[0] for row in rows], np.bool_)) for rows in pair
    )
    assert one == two


@given(ROWS)
def test_columns_and_masks_follow_the_rows_into_their_order(given_rows: list[tuple[str, str, str]]) -> None:
    rows = rows_of(given_rows)
    near, ruled = (np.array([letter in text for text in rows.texts], np.bool_) for letter in "ab")
    found = grouped(rows, near=near, ruled=ruled)
    assert values(found["day"]) == [rows.columns["day"][at] for at in rows.order]
    assert values(found["resembles training"]) == ["yes" if near[at] else "no" for at in rows.order]
    if ruled.any():
        assert values(found["decided by"]) == ["rule" if ruled[at] else "model" for at in rows.order]
    assert ("decided by" in found) == bool(ruled.any())


def test_only_what_decided_is_the_versions_own_doing() -> None:
    rows = rows_of([("a", "ham", "u"), ("b", "spam", "v")])
    found = grouped(rows, near=np.array([True, False]), ruled=np.array([False, True]))
    assert {name: one.comparable for name, one in found.items()} == {
        "length": True,
        "day": True,
        "resembles training": True,
        "decided by": False,
    }
    assert list(grouped(rows)) == ["length", "day"]


def test_rare_values_share_a_slice() -> None:
    days = [f"day {n:02}" for n in range(30) for _ in range(40 - n)]
    rows = Rows([f"text {n}" for n in range(len(days))], ["ham"] * len(days), {"day": days})
    found = grouped(rows)["day"]
    assert found.values == (*(f"day {n:02}" for n in range(20)), "(other)")
    assert Counter(values(found))["(other)"] == sum(40 - n for n in range(20, 30))


def test_twenty_values_need_no_other_and_equal_counts_go_by_the_alphabet() -> None:
    days = [f"day {n:02}" for n in reversed(range(21))]
    texts = [f"text {n}" for n in range(21)]
    assert len(grouped(Rows(texts[1:], ["x"] * 20, {"day": days[1:]}))["day"].values) == 20
    assert grouped(Rows(texts, ["x"] * 21, {"day": days}))["day"].values[:2] == ("day 00", "day 01")


@pytest.mark.parametrize("name", ["length", "resembles training", "decided by"])
def test_a_column_with_the_name_of_a_slice_is_told_apart(name: str) -> None:
    rows = Rows(["a", "bb"], ["ham", "spam"], {name: ["p", "q"]})
    found = grouped(rows, near=np.array([True, False]), ruled=np.array([False, True]))
    assert set(found) == {"length", "resembles training", "decided by", f"{name} (column)"}
    assert set(found[f"{name} (column)"].values) == {"p", "q"}


CASES = st.integers(2, 4).flatmap(
    lambda labels: st.tuples(
        st.just(labels),
        st.lists(
            st.tuples(st.integers(0, labels - 1), st.integers(0, labels - 1), st.sampled_from("uvw")),
            max_size=30,
        ),
    )
)


@settings(deadline=None)
@given(CASES)
def test_a_slice_is_worth_what_counting_its_rows_says(case: tuple[int, list[tuple[int, int, str]]]) -> None:
    labels, rows = case
    positive = 1 if labels == 2 else None
    kept = kept_rows([r[0] for r in rows], [r[1] for r in rows], day=[r[2] for r in rows])
    found = sliced(kept, labels=labels, positive=positive)
    assert {value for _, value in found} == {row[2] for row in rows}
    for (_, value), one in found.items():
        mine = [(truth, decided) for truth, decided, day in rows if day == value]
        right = sum(truth == decided for truth, decided in mine)
        assert one.rows == len(mine)
        assert one.positives == (sum(truth == 1 for truth, _ in mine) if labels == 2 else None)
        assert one.accuracy.value == right / len(mine)
        each = [f1 for f1 in (counted_f1(mine, label) for label in range(labels)) if f1 is not None]
        expected = counted_f1(mine, 1) if labels == 2 else sum(each, Fraction(0)) / len(each)
        if expected is None:
            assert one.f1.reason == "no row has the positive label and none was given it"
        else:
            assert one.f1.value == pytest.approx(float(expected), abs=1e-12)
            assert one.f1.low is not None
            assert one.f1.low <= one.f1.value + 1e-12


def counted_f1(rows: list[tuple[int, int]], label: int) -> Fraction | None:
    """Return the F1 of a label, None where no row has it and none was given it."""
    hits = sum(truth == decided == label for truth, decided in rows)
    around = sum((truth == label) + (decided == label) for truth, decided in rows)
    return Fraction(2 * hits, around) if around else None


def test_the_accuracy_of_a_slice_has_an_exact_interval() -> None:
    one = sliced(kept_rows([1] * 5, [1] * 5, day=["u"] * 5))["day", "u"]
    assert one.accuracy.text(2) == "1.00 (0.48 to 1.00)"
    assert one.f1.text(2) == "1.00 (1.00 to 1.00)"


def test_a_slices_interval_does_not_depend_on_the_other_slices() -> None:
    rng = np.random.default_rng(0)
    truth, decided = (rng.integers(0, 2, 200).tolist() for _ in range(2))
    days, shops = (rng.choice(list("uvw"), 200).tolist() for _ in range(2))
    one = sliced(kept_rows(truth, decided, day=days))
    two = sliced(kept_rows(truth, decided, shop=shops, day=days))
    assert {key: two[key] for key in one} == one
    assert sliced(kept_rows(truth, decided, day=days), seed=1)["day", "u"].f1 != one["day", "u"].f1
    assert one["day", "u"].f1.low != one["day", "v"].f1.low


def test_a_value_without_rows_is_no_slice() -> None:
    rows = rows_of([("a", "ham", "u"), ("b", "spam", "u")])
    kept = rowwise(*[np.zeros(2, np.int64)] * 2, grouped(rows, near=np.zeros(2, np.bool_)), order=rows.order)
    assert [value for by, value in sliced(kept) if by == "resembles training"] == ["no"]


def test_there_are_no_slices_without_rows() -> None:
    kept = rowwise(*[np.zeros(0, np.int64)] * 2, grouped(Rows([], [])), order=[])
    assert sliced(kept) == {}


def test_the_rows_of_a_column_add_up_to_all_rows() -> None:
    rng = np.random.default_rng(3)
    rows = Rows(
        ["x" * size for size in rng.integers(1, 200, 300)],
        rng.choice(["ham", "spam"], 300).tolist(),
        {"source": rng.choice([f"s{n}" for n in range(40)], 300).tolist()},
    )
    groups = grouped(rows, near=rng.random(300) < 0.2, ruled=rng.random(300) < 0.1)
    found = sliced(rowwise(rng.integers(0, 2, 300), rng.integers(0, 2, 300), groups, order=rows.order))
    totals = Counter[str]()
    for (by, _), one in found.items():
        totals[by] += one.rows
    assert totals == dict.fromkeys(["length", "source", "resembles training", "decided by"], 300)
