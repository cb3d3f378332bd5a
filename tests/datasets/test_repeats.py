from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from assay.datasets.reading import Example
from assay.datasets.repeats import settle_repeats
from assay.datasets.splitting import digest_of
from assay.datasets.validation import Audit, Ledger

Side = Literal["train", "validation", "test"] | None
Given = tuple[str, str, Side]


def settle(rows: list[Given], *, drop: bool = True) -> tuple[list[Given], Audit]:
    ledger = Ledger()
    examples = [
        Example(text, label, digest_of(text, "salt"), number, side or "", side)
        for number, (text, label, side) in enumerate(rows, 1)
    ]
    stays = settle_repeats(examples, ledger, drop=drop)
    return [(one.text, one.label, one.side) for one in stays], ledger.audit(len(rows))


def found(audit: Audit) -> list[tuple[str, tuple[int, ...], bool]]:
    return [(finding.kind, finding.rows, finding.dropped) for finding in audit.findings]


def test_the_first_of_equal_rows_stays() -> None:
    stays, audit = settle([("Hi", "a", None), ("bye", "b", None), (" hi ", "a", None), ("HI", "a", None)])
    assert stays == [("Hi", "a", None), ("bye", "b", None)]
    assert found(audit) == [("duplicate", (3, 4), True)]


def test_no_row_of_a_text_under_two_labels_stays() -> None:
    stays, audit = settle([("hi", "a", None), ("bye", "b", None), ("hi", "b", None), ("hi", "a", None)])
    assert stays == [("bye", "b", None)]
    assert found(audit) == [("conflict", (1, 3, 4), True)]


def test_repeats_that_are_to_be_kept_are_still_counted() -> None:
    rows: list[Given] = [("hi", "a", None), ("hi", "b", None), ("bye", "b", None), ("bye", "b", None)]
    stays, audit = settle(rows, drop=False)
    assert stays == rows
    assert found(audit) == [("conflict", (1, 2), False), ("duplicate", (4,), False)]
    assert audit.rows_kept == 4


def test_texts_of_the_test_side_are_taken_off_the_others_even_when_repeats_are_kept() -> None:
    rows: list[Given] = [
        ("hi", "a", "train"),
        ("bye", "b", "train"),
        ("so", "a", "validation"),
        ("so", "a", "train"),
        ("hi", "b", "test"),
    ]
    for drop in (True, False):
        stays, audit = settle(rows, drop=drop)
        assert sorted(stays) == [("bye", "b", "train"), ("hi", "b", "test"), ("so", "a", "validation")]
        assert found(audit) == [("straddles", (1, 4), True)]


def test_a_test_side_that_the_source_defines_stays_whole() -> None:
    tests: list[Given] = [("hi", "a", "test"), ("hi", "a", "test"), ("hi", "b", "test")]
    stays, audit = settle([*tests, ("new", "a", "train")])
    assert [one for one in stays if one[2] == "test"] == tests
    assert found(audit) == [("conflict", (1, 2, 3), False)]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "A", "b", "c ", "c"]),
        st.sampled_from("xy"),
        st.sampled_from(["train", "validation", "test"]),
    ),
    max_size=12,
)


@given(ROWS, st.booleans())
def test_no_text_is_on_two_sides_and_every_row_is_accounted_for(rows: list[Given], drop: bool) -> None:
    stays, audit = settle(rows, drop=drop)
    sides: dict[str, set[Side]] = {}
    for text, _, side in stays:
        sides.setdefault(text.strip().lower(), set()).add(side)
    assert all(len(taken) == 1 for taken in sides.values())
    assert (
        len(stays) == audit.rows_kept == len(rows) - sum(one.count for one in audit.findings if one.dropped)
    )
