import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets import Rows, fingerprint_of

ROWS = st.lists(st.tuples(st.text(max_size=20), st.text(max_size=5)), max_size=20)


@given(ROWS, st.randoms())
def test_order_does_not_matter(rows: list[tuple[str, str]], chance: random.Random) -> None:
    shuffled = rows[:]
    chance.shuffle(shuffled)
    one = fingerprint_of([text for text, _ in rows], [label for _, label in rows])
    two = fingerprint_of([text for text, _ in shuffled], [label for _, label in shuffled])
    assert one == two


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (["a", "b"], ["x", "y"]),
        (["A", "b"], ["y", "x"]),
        (["a ", "b"], ["y", "x"]),
        (["a", "b", "b"], ["y", "x", "x"]),
        (["ab", ""], ["y", "x"]),
        (["a", "bx"], ["y", ""]),
    ],
)
def test_any_other_rows_have_another_fingerprint(texts: list[str], labels: list[str]) -> None:
    assert fingerprint_of(texts, labels) != fingerprint_of(["a", "b"], ["y", "x"])


def test_a_fingerprint_is_the_same_on_every_machine() -> None:
    expected = "adfaf1627b21444c537a9fb0e6607ff8cd734a6518d8ee0ed19da23c510973c6"
    assert fingerprint_of(["naïve\0", "two\nlines"], ["ham", "spam"]) == expected


def test_labels_for_other_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="2 texts for 1 labels"):
        Rows(["a", "b"], ["x"])
