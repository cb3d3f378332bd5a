"""The trie of small vocabularies of characters, beside the hash table and the form in Python."""

import ctypes
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.estimators.kernel import compiled
from assay.estimators.ngrams import NgramSpec, analyzer_of
from assay.estimators.vocabulary import Vocabulary
from tests.estimators.kernel.made_up_texts import ODD, texts

pytestmark = pytest.mark.skipif(compiled("scoring") is None, reason="there is no compiled kernel here")

MOST_NODES = 1 << 17
"""More features than that get no trie."""


def score(spec: NgramSpec, grams: Sequence[str], given_texts: Sequence[str], fill: int = 0) -> list[float]:
    """Return each text's logit, with a weight of its own for each n-gram.

    ``fill`` n-grams more, which no text has, make the vocabulary too large for a trie.
    """
    numbers = np.random.default_rng(len(grams))
    weights = dict(zip(grams, numbers.normal(size=(len(grams), 2)).tolist(), strict=True))
    filled = [*grams, *(f"\U0010fffe{number}" for number in range(fill))]
    vocabulary, order = Vocabulary.build(filled)
    scale, coef = np.array([weights.get(filled[number], (1.0, 1.0)) for number in order]).reshape(-1, 2).T
    return logits_of(spec, vocabulary.to_arrays(), given_texts, scale.copy(), coef.reshape(-1, 1).copy())


def logits_of(
    spec: NgramSpec, arrays: Any, given_texts: Sequence[str], scale: Any = None, coef: Any = None
) -> list[float]:
    return [model_of(spec, arrays, scale, coef).logits_of(text)[0] for text in given_texts]


def model_of(spec: NgramSpec, arrays: Any, scale: Any = None, coef: Any = None) -> Any:
    """Return a compiled model of one block; without weights, each n-gram weighs 1."""
    scoring: Any = compiled("scoring")
    block = scoring.Block(
        **{"analyzer": spec.analyzer, "low": spec.ngrams[0], "high": spec.ngrams[1]},
        **{"lowercase": spec.lowercase, "prepare": None, "stop_words": (), "tf": spec.tf, "norm": spec.norm},
        **arrays,
        scale=scale,
        coef=np.ones((len(arrays["hashes"]), 1)) if coef is None else coef,
    )
    return scoring.Model((block,), np.zeros(1))


def counts(analyzer: Any, sizes: tuple[int, int], grams: Sequence[str], text: str) -> float:
    """Return how many of a text's n-grams are among those given."""
    spec = NgramSpec(analyzer=analyzer, ngrams=sizes, norm="none", tf="count", lowercase=False)
    (logit,) = logits_of(spec, Vocabulary.build(grams)[0].to_arrays(), [text])
    known = set(grams)
    assert logit == sum(gram in known for gram in analyzer_of(spec)(text))
    return logit


@st.composite
def specs(draw: st.DrawFn) -> NgramSpec:
    analyzer: Any = draw(st.sampled_from(["char", "char_wb"]))
    low = draw(st.integers(1, 4))
    sizes = (low, draw(st.integers(low, 10)))
    return NgramSpec(analyzer=analyzer, ngrams=sizes, lowercase=draw(st.booleans()), tf="log", norm="l2")


@settings(max_examples=10, deadline=None)
@given(spec=specs(), known=texts(valid=True), others=st.lists(texts(), max_size=3))
def test_a_text_scores_the_same_to_the_bit_by_trie_and_by_hash(
    spec: NgramSpec, known: str, others: list[str]
) -> None:
    grams = sorted(set(analyzer_of(spec)(known)))[::2]
    given_texts = [known, f"{known} {known}", *others]
    assert score(spec, grams, given_texts) == score(spec, grams, given_texts, fill=MOST_NODES)


CHARACTERS = st.sampled_from(["a", "b", " ", "\0", "é", "€", "\u3000", "😀", "\U0010ffff", *ODD])
RUNS = st.lists(CHARACTERS, max_size=30).map("".join)


def is_valid(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)


@settings(max_examples=150, deadline=None)
@given(
    analyzer=st.sampled_from(["char", "char_wb"]),
    low=st.integers(1, 4),
    more=st.integers(0, 6),
    grams=st.sets(st.lists(CHARACTERS, min_size=1, max_size=6).map("".join).filter(is_valid), max_size=20),
    text=RUNS,
)
@example(analyzer="char_wb", low=2, more=2, grams={"a b", " a", "b ", "  ", "  b", "a  "}, text="a  b a")
@example(analyzer="char", low=1, more=3, grams={"a", "a\0", "a\0\0", "\0"}, text="a\0a\0\0aa")
def test_any_vocabulary_is_found_as_in_python(
    analyzer: Any, low: int, more: int, grams: set[str], text: str
) -> None:
    counts(analyzer, (low, low + more), sorted(grams), text + "".join(sorted(grams)) + text)


@pytest.mark.parametrize(
    ("gram", "size"), [("a" * 8, 8), ("😀😀", 8), ("a" * 9, 9), ("€€€", 9), ("😀😀a", 9), ("😀" * 10, 40)]
)
def test_n_grams_around_a_word_of_the_processor_are_told_from_those_that_differ_in_one_byte(
    gram: str, size: int
) -> None:
    assert len(gram.encode()) == size
    near = [gram[:-1] + "b", "b" + gram[1:], gram[:-1], gram[1:], f"{gram}a"]
    for text, expected in ((gram, 1), (" ".join([*near[:4], gram, gram]), 2)):
        assert counts("char", (len(gram), len(gram)), [gram], text) == expected


TWINS = ("free", "ajxt15u2", "apqo2acx")


@pytest.mark.parametrize("known", [TWINS[:1], TWINS[1:2], TWINS[:2], TWINS])
def test_n_grams_with_one_hash_are_told_apart_by_their_bytes(known: tuple[str, ...]) -> None:
    assert len({crc32(twin.encode()) for twin in TWINS}) == 1
    text = " ".join([*TWINS, TWINS[1], "fre", "ajxt15u"])
    assert counts("char", (4, 8), known, text) == sum(text.count(twin) for twin in known)


def test_a_key_under_another_hash_is_found_as_little_as_in_the_hash_table() -> None:
    spec = NgramSpec(analyzer="char", ngrams=(2, 4), norm="none", tf="count")
    vocabulary = Vocabulary.build(["free", "fr", "ee"])[0]
    arrays = vocabulary.to_arrays() | {"hashes": vocabulary.hashes ^ np.uint32(1)}
    assert logits_of(spec, arrays, ["free"]) == [0.0]


def test_of_a_key_that_is_there_twice_the_first_counts() -> None:
    spec = NgramSpec(analyzer="char", ngrams=(2, 2), norm="none", tf="count")
    arrays = Vocabulary.build(["fr", "fr", "ee"])[0].to_arrays()
    first = arrays["hashes"].tolist().index(crc32(b"fr"))
    coef = np.zeros((3, 1))
    coef[first], coef[first + 1] = 1.0, 8.0
    assert logits_of(spec, arrays, ["fr fr"], coef=coef) == [2.0]


@pytest.mark.parametrize("grams", [[], [""], ["", "a"], ["a" * 41, "aa"], ["😀" * 11, "aa"]])
def test_keys_that_no_text_has_are_left_out(grams: list[str]) -> None:
    assert counts("char", (1, 2), grams, "aaa") == 3 * ("a" in grams) + 2 * ("aa" in grams)


def test_a_vocabulary_of_too_many_nodes_keeps_to_its_hash_table() -> None:
    letters = np.random.default_rng(0).integers(97, 123, (20_000, 10), np.uint8)
    grams = sorted({row.tobytes().decode() for row in letters})
    assert len({gram[:size] for gram in grams for size in range(1, 11)}) > MOST_NODES
    text = " ".join(grams[::100])
    assert counts("char", (10, 10), grams, text) == len(grams[::100])


def test_every_node_has_its_place_whatever_its_sisters() -> None:
    """Nodes with from one to all children, at all places of a double array."""
    grams = [
        chr(33 + a) + chr(33 + b) * (1 + c) for a in range(90) for b in range(a + 1) for c in range(1 + b % 7)
    ]
    assert counts("char", (2, 8), grams, " ".join(grams)) > len(grams)


@settings(deadline=None)
@given(
    hashes=st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3),
    offsets=st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 20), min_size=4, max_size=4),
    keys=st.binary(max_size=20),
    analyzer=st.sampled_from(["char", "char_wb"]),
)
def test_arrays_that_point_anywhere_find_less_and_read_nothing_outside(
    hashes: list[int], offsets: list[int], keys: bytes, analyzer: Any
) -> None:
    known = Vocabulary.build(["free", "prize", "now"])[0]
    spec = NgramSpec(analyzer=analyzer, ngrams=(3, 5), norm="none", tf="count")
    for each in (np.array(hashes, np.uint32), known.hashes):
        for bytes_of_keys in (np.frombuffer(keys, np.uint8), known.keys):
            arrays = known.to_arrays() | {"hashes": each, "offsets": np.array(offsets, np.uint64)}
            (logit,) = logits_of(spec, arrays | {"keys": bytes_of_keys}, ["free prize now free"])
            assert 0 <= logit <= 4


def test_arrays_that_change_later_change_no_n_gram() -> None:
    spec = NgramSpec(analyzer="char", ngrams=(2, 4), norm="none", tf="count")
    arrays = {
        name: array.copy() for name, array in Vocabulary.build(["free", "fr", "ee"])[0].to_arrays().items()
    }
    model = model_of(spec, arrays)
    for array in arrays.values():
        ctypes.memset(array.ctypes.data, 0xFF, array.nbytes)
    assert model.logits_of("free fr") == (4.0,)
