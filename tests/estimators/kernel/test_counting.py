"""Counting in C: scikit-learn's counts on any text, an error or the right answer on bad input."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from assay.estimators.ngrams import TOKEN_PATTERNS

counting = pytest.importorskip("assay.estimators.kernel.counting")

ANALYZERS = [*TOKEN_PATTERNS, "char_wb"]
# Letters whose lower case is another length, marks, joiners, white space of all kinds, and what is no text.
LETTERS = (
    "abAB\u0130ΣςßẞȺǅ\u0301ﬁ²١אب_ .,!-'\x00\t\n\x1c\x1f\x85\xa0"
    "\u2028\u3000\u200d\U0001f600\U0001d400\ud800\udfff"
)
TEXTS = st.lists(st.text(st.sampled_from(LETTERS), max_size=30) | st.text(max_size=20), max_size=6)


def count(
    texts: list[str], analyzer: str, low: int, high: int, min_df: int = 1
) -> tuple[list[str], csr_matrix]:
    grams, *arrays = counting.count(texts, analyzer, low, high, min_df)
    starts, columns, counts = map(np.frombuffer, arrays, (np.int64, np.int32, np.int32))
    return grams, csr_matrix((counts, columns, starts), shape=(len(texts), len(grams)))


def vectoriser(analyzer: str, low: int, high: int, min_df: int = 1) -> CountVectorizer:
    pattern = TOKEN_PATTERNS.get(analyzer)
    how: dict[str, Any] = {"token_pattern": pattern} if pattern else {"analyzer": analyzer}
    return CountVectorizer(ngram_range=(low, high), min_df=min_df, **how)


def check(texts: list[str], analyzer: str, low: int, high: int, min_df: int = 1) -> int:
    """Hold the counts against scikit-learn's and return how many n-grams there are."""
    grams, counts = count(texts, analyzer, low, high, min_df)
    theirs = vectoriser(analyzer, low, high, min_df)
    try:
        expected = theirs.fit_transform(texts)
    except ValueError:
        assert grams == []
        assert counts.nnz == 0
        return 0
    expected.sort_indices()
    assert grams == theirs.get_feature_names_out().tolist()
    assert np.array_equal(counts.indptr, expected.indptr)
    assert np.array_equal(counts.indices, expected.indices)
    assert np.array_equal(counts.data, expected.data)
    return len(grams)


@given(TEXTS, st.sampled_from(ANALYZERS), st.integers(1, 5), st.integers(0, 3), st.integers(1, 3))
def test_counts_are_those_of_scikit_learn(
    texts: list[str], analyzer: str, low: int, more: int, min_df: int
) -> None:
    check(texts, analyzer, low, low + more, min_df)


@pytest.mark.parametrize("analyzer", ANALYZERS)
@pytest.mark.parametrize("bounds", [(1, 1), (1, 3), (2, 3), (4, 6)], ids=str)
def test_counts_of_many_texts_are_those_of_scikit_learn(analyzer: str, bounds: tuple[int, int]) -> None:
    words = ["free", "prize", "a", "I", "prizes", "naïve", "שלום", "c'est", "😀", "!!", "co-op", "x" * 40]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, rng.integers(0, 30))) for _ in range(400)]
    assert check(texts, analyzer, *bounds, min_df=3) > 5


def test_a_word_shorter_than_any_n_gram_counts_once_whole() -> None:
    grams, counts = count(["a bc a", "bc"], "char_wb", 4, 5)
    assert grams == [" a ", " bc "]
    assert counts.toarray().tolist() == [[2, 1], [0, 1]]


@pytest.mark.parametrize("analyzer", ANALYZERS)
@pytest.mark.parametrize("texts", [[], [""], ["", " \t\n"]], ids=str)
def test_texts_without_a_word_hold_no_n_gram(texts: list[str], analyzer: str) -> None:
    grams, counts = count(texts, analyzer, 1, 3)
    assert grams == []
    assert counts.shape == (len(texts), 0)


@pytest.mark.parametrize("letter", ["a", "é", "я", "𝐀", "\x00"])
def test_one_token_of_ten_megabytes_is_counted(letter: str) -> None:
    grams, counts = count([letter * 10_000_000, letter], "words-and-punctuation", 1, 1)
    if letter == "\x00":
        assert grams == ["\x00"]
        assert counts.toarray().tolist() == [[10_000_000], [1]]
    else:
        assert grams == [letter.lower(), letter.lower() * 10_000_000]
        assert counts.toarray().tolist() == [[0, 1], [1, 0]]


def test_a_million_distinct_tokens_are_counted() -> None:
    tokens = [f"w{number:06}" for number in range(1_000_000)]
    grams, counts = count([" ".join(tokens[::-1]), " ".join(tokens)], "words", 1, 1, 2)
    assert grams == tokens
    assert counts.data.min() == counts.data.max() == 1
    assert counts.nnz == 2_000_000


def test_rare_n_grams_are_never_held() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{n}" for n in rng.integers(0, 5_000_000, 200)) for _ in range(2_000)]
    tracemalloc.start()
    try:
        count(texts, "words", 1, 3, 8)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A token's number, its place, and of each that is distinct its bytes, its start and its slot.
    assert peak < 100 * 2_000 * 200


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["a", 1], "words", 1, 1, 1), TypeError, "a text must be str, not int"),
        ((["a", None], "words", 1, 1, 1), TypeError, "a text must be str, not NoneType"),
        ((7, "words", 1, 1, 1), TypeError, "not iterable"),
        ((["a"], "char", 1, 1, 1), ValueError, "no counting for the analyzer 'char'"),
        ((["a"], "", 1, 1, 1), ValueError, "no counting for the analyzer ''"),
        ((["a"], "words", 0, 1, 1), ValueError, "must rise from 1 on, not from 0 to 1"),
        ((["a"], "words", 2, 1, 1), ValueError, "must rise from 1 on, not from 2 to 1"),
        ((["a"], "words", 1, 1), TypeError, "exactly 5 arguments"),
        ((["a"], "words", 1, 2**40, 1), OverflowError, "too large|greater than maximum"),
    ],
    ids=str,
)
def test_what_cannot_be_counted_is_refused(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        counting.count(*arguments)


@pytest.mark.parametrize("min_df", [-1, 0, 1])
def test_every_n_gram_is_in_one_text(min_df: int) -> None:
    assert count(["b a", "b"], "all-words", 1, 9, min_df)[0] == ["a", "b", "b a"]


def test_n_grams_longer_than_any_text_end_the_counting() -> None:
    assert count(["b a"], "all-words", 1, 2**31 - 1)[0] == ["a", "b", "b a"]
