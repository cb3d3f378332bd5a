"""N-grams are cut as scikit-learn's own analyzers cut them."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.feature_extraction.text import CountVectorizer

from assay.estimators.ngrams import TOKEN_PATTERNS, NgramSpec, analyzer_of

WORDS = [
    "free",
    "Prize",
    "the",
    "a",
    "don't",
    "naïve",
    "café",
    "e\u0301",
    "İ",
    "ǅ",
    "x_1",
    "42",
    "日本",
    "!",
    "—",
]
SPACES = [" ", "  ", "\t", "\n", "\u3000", "\x1c", "\x85"]
TEXTS = st.text() | st.lists(st.sampled_from(WORDS + SPACES)).map("".join)
RANGES = st.sampled_from([(1, 1), (1, 2), (2, 2), (1, 3), (2, 4), (3, 3), (1, 10), (10, 10)])
ACCENTS = st.sampled_from(["none", "ascii", "unicode"])


@settings(deadline=None, max_examples=200)
@given(
    text=TEXTS,
    ngrams=RANGES,
    analyzer=st.sampled_from(list(TOKEN_PATTERNS)),
    accents=ACCENTS,
    lowercase=st.booleans(),
    stop=st.lists(st.sampled_from(["the", "a", "free", "日本", "!"]), unique=True),
)
@example(text="Straße ẞ ﬁ", ngrams=(1, 2), analyzer="words", accents="none", lowercase=True, stop=[])
@example(text="x", ngrams=(2, 2), analyzer="words", accents="none", lowercase=True, stop=[])
def test_word_n_grams_are_those_of_scikit_learn(
    text: str, ngrams: tuple[int, int], analyzer: str, accents: str, lowercase: bool, stop: list[str]
) -> None:
    theirs = CountVectorizer(
        ngram_range=ngrams,
        token_pattern=TOKEN_PATTERNS[analyzer],
        strip_accents=None if accents == "none" else accents,
        lowercase=lowercase,
        stop_words=stop or None,
    ).build_analyzer()
    spec = NgramSpec(
        analyzer=analyzer,
        ngrams=ngrams,
        strip_accents=accents,
        lowercase=lowercase,
        stop_words=tuple(stop),
    )
    assert analyzer_of(spec)(text) == theirs(text)


@settings(deadline=None, max_examples=200)
@given(
    text=TEXTS,
    ngrams=RANGES,
    analyzer=st.sampled_from(["char", "char_wb"]),
    accents=ACCENTS,
    lowercase=st.booleans(),
)
@example(text="a", ngrams=(3, 3), analyzer="char_wb", accents="none", lowercase=True)
@example(text="ab c", ngrams=(2, 4), analyzer="char_wb", accents="none", lowercase=True)
def test_character_n_grams_are_those_of_scikit_learn(
    text: str, ngrams: tuple[int, int], analyzer: str, accents: str, lowercase: bool
) -> None:
    theirs = CountVectorizer(
        ngram_range=ngrams,
        analyzer=analyzer,
        strip_accents=None if accents == "none" else accents,
        lowercase=lowercase,
    ).build_analyzer()
    spec = NgramSpec(analyzer=analyzer, ngrams=ngrams, strip_accents=accents, lowercase=lowercase)
    assert analyzer_of(spec)(text) == theirs(text)


def test_punctuation_counts_as_tokens_where_it_is_kept() -> None:
    spec = NgramSpec(analyzer="words-and-punctuation", ngrams=(1, 2))
    assert analyzer_of(spec)("Not good!") == ["not", "good", "!", "not good", "good !"]


def test_a_range_that_falls_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"ngrams must rise, like \[1, 2\]; got \[3, 2\]"):
        NgramSpec(analyzer="words", ngrams=(3, 2))


def test_an_unknown_analyzer_is_refused() -> None:
    with pytest.raises(ValidationError, match="analyzer"):
        NgramSpec(analyzer="hashing", ngrams=(1, 1))
