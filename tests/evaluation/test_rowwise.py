import base64
import random
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assay.evaluation.rowwise import Grouping, Rowwise, pack, rowwise, unpack

NUMBERS = st.lists(st.integers(0, (1 << 16) - 1), max_size=50)


@given(NUMBERS)
def test_numbers_survive_packing(numbers: list[int]) -> None:
    assert unpack(pack(np.array(numbers, np.int64))).tolist() == numbers


def test_packed_rows_are_small() -> None:
    decided = np.random.default_rng(0).random(25_000) < 0.1
    assert len(pack(decided.astype(np.int64))) < 8_000


@pytest.mark.parametrize("number", [-1, 1 << 16])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="0 to 65,535"):
        pack(np.array([0, number]))


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no base 64", "damaged"),
        ("é", "damaged"),
        ("", "cut short"),
        (packed(b"no zlib"), "damaged"),
        (packed(zlib.compress(b"\0\0\0\0")[:-1]), "cut short"),
        (packed(zlib.compress(b"\0\0\0")), "cut short"),
        (packed(zlib.compress(b"\0\0") + b"more"), "goes on"),
    ],
    ids=["signs", "letters", "nothing", "zlib", "cut", "odd", "more"],
)
def test_a_damaged_column_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unpack(text)


def test_a_column_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # The stage publishes the function under its module's name.
    monkeypatch.setattr(sys.modules["assay.evaluation.rowwise"], "MAX_BYTES", 1000)
    assert len(unpack(pack(np.zeros(500, np.int64)))) == 500
    with pytest.raises(ValueError, match="cut short"):
        unpack(pack(np.zeros(501, np.int64)))


ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), max_size=20)


@given(ROWS, st.randoms())
def test_rows_are_brought_into_order(rows: list[tuple[int, int, int]], chance: random.Random) -> None:
    order = list(range(len(rows)))
    chance.shuffle(order)
    truth, decided, values = (np.array([row[at] for row in rows], np.int64) for at in range(3))
    group = Grouping(values=("a", "b", "c"), rows=pack(values))
    kept = rowwise(truth, decided, {"day": group}, order=order)
    assert kept.rows == len(rows)
    assert kept.true_labels.tolist() == [rows[at][0] for at in order]
    assert kept.decided_labels.tolist() == [rows[at][1] for at in order]
    assert kept.groups["day"].numbers().tolist() == values.tolist()
    assert Rowwise.model_validate_json(kept.model_dump_json()) == kept


@pytest.mark.parametrize("column", ["truth", "decided", "groups"])
def test_columns_of_another_length_are_refused(column: str) -> None:
    short, whole = pack(np.array([0])), pack(np.array([0, 1]))
    values: dict[str, object] = {"rows": 2, "truth": whole, "decided": whole, "groups": {}}
    values[column] = {"day": Grouping(values=("a",), rows=short)} if column == "groups" else short
    with pytest.raises(ValidationError, match="every packed column must have 2 rows"):
        Rowwise.model_validate(values)


def test_damage_is_told_with_its_place() -> None:
    whole = pack(np.array([0, 1]))
    with pytest.raises(ValidationError, match=r"groups.day\s+.*damaged"):
        Rowwise.model_validate(
            {
                "rows": 2,
                "truth": whole,
                "decided": whole,
                "groups": {"day": {"values": ["a", "b"], "rows": "?"}},
            }
        )


def test_a_value_that_is_not_named_is_refused() -> None:
    assert Grouping(values=("a", "b"), rows=pack(np.array([1, 0]))).values == ("a", "b")
    with pytest.raises(ValidationError, match="more values than the 1 that are named"):
        Grouping(values=("a",), rows=pack(np.array([1, 0])))
    assert Grouping(values=(), rows=pack(np.array([], np.int64))).numbers().tolist() == []


def test_the_confusion_matrix_is_counted_from_the_rows() -> None:
    kept = rowwise(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), {}, order=range(4))
    assert kept.cells(3) == ((1, 0, 0), (0, 1, 1), (0, 0, 1))
    assert kept.cells(2) == ()
