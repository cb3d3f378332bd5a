from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.datasets import normalise, side_of
from assay.datasets.splitting import side_of_digest

TEXTS = st.text(max_size=60)


def test_texts_that_differ_in_case_width_or_spaces_are_the_same() -> None:
    assert normalise("  Ｆｒｅｅ\tPRIZE\n") == "free prize"
    assert normalise(" Free \t\r\n prize") == "free prize"
    assert normalise("STRASSE") == normalise("straße") == "strasse"
    assert normalise("cafe\u0301") == normalise("CAFÉ") == "café"


def test_texts_that_differ_in_words_or_punctuation_are_not_the_same() -> None:
    assert normalise("free prize") != normalise("free, prize")
    assert normalise("cafe") != normalise("café")


@given(TEXTS)
@example("\u0345\u0391")
@example("ǰ̱ ΐ ﬃ ẞ İ")
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(TEXTS, st.text(max_size=5))
def test_a_text_and_its_normal_form_share_a_side(text: str, salt: str) -> None:
    assert side_of(text, salt, 0.3, 0.3) == side_of(normalise(text), salt, 0.3, 0.3)
    assert side_of(f" {text.upper()} ", salt, 0.3, 0.3) == side_of(text.upper(), salt, 0.3, 0.3)


@given(TEXTS)
def test_a_larger_test_share_only_moves_texts_into_test(text: str) -> None:
    if side_of(text, "", 0.2, 0.1) == "test":
        assert side_of(text, "", 0.5, 0.1) == "test"


@pytest.mark.parametrize(
    ("share", "side"),
    [
        (0.0, "test"),
        (0.2499, "test"),
        (0.25, "validation"),
        (0.7499, "validation"),
        (0.75, "train"),
        (0.9999, "train"),
    ],
)
def test_a_share_belongs_to_the_side_that_it_begins(share: float, side: str) -> None:
    digest = int(share * 2**64).to_bytes(8, "big") + bytes(8)
    assert side_of_digest(digest, 0.25, 0.5) == side


def test_shares_are_met_and_a_salt_makes_another_split() -> None:
    texts = [f"message number {number}" for number in range(10_000)]
    sides = [side_of(text, "mine", 0.2, 0.1) for text in texts]
    counts = Counter(sides)
    assert 1_880 < counts["test"] < 2_120
    assert 900 < counts["validation"] < 1_100
    other = [side_of(text, "another", 0.2, 0.1) for text in texts]
    assert 0.3 < sum(one != two for one, two in zip(sides, other, strict=True)) / len(texts) < 0.6


def test_sides_of_known_texts_never_change() -> None:
    # A changed hash would move rows of every team's test set into its training rows.
    sides = [side_of(f"text {number}", "spam", 0.2, 0.1) for number in range(12)]
    known = "train train train train train test train validation validation train train train"
    assert sides == known.split()
