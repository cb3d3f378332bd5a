"""Scoring in C beside scikit-learn and beside the form in Python, on any text."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from assay.estimators import LinearModel, convert_pipeline, unknown_shares
from assay.estimators.kernel import compiled
from assay.estimators.linear import Block, EvidenceWeights
from assay.estimators.ngrams import TOKEN_PATTERNS, NgramSpec, analyzer_of
from assay.estimators.tensors import map_tensors, write_tensors
from assay.estimators.vocabulary import Vocabulary
from tests.corpus import SPAM_GROUPS, labelled
from tests.estimators.collisions import colliding
from tests.estimators.kernel.made_up_texts import ODD, WORDS, texts
from tests.estimators.made_up import made

pytestmark = pytest.mark.skipif(compiled("scoring") is None, reason="there is no compiled kernel here")

CORPUS, TARGETS = labelled(SPAM_GROUPS, 30)
CORPUS = [
    *CORPUS,
    *(f"{word} {odd}{word}" for word in WORDS for odd in ODD if odd < "\ud800" or odd > "\udfff"),
]
TARGETS = [*TARGETS, *(["ham", "spam"] * len(CORPUS))[: len(CORPUS) - len(TARGETS)]]

WAYS: dict[str, dict[str, Any]] = {
    "words": {},
    "words, one to three": {"ngram_range": (1, 3), "sublinear_tf": True},
    "runs of three words": {"ngram_range": (3, 3), "norm": None},
    "all words, counted once": {"token_pattern": TOKEN_PATTERNS["all-words"], "binary": True, "norm": "l1"},
    "punctuation": {"token_pattern": TOKEN_PATTERNS["words-and-punctuation"], "ngram_range": (1, 2)},
    "characters": {"analyzer": "char", "ngram_range": (1, 4), "sublinear_tf": True},
    "characters in words": {"analyzer": "char_wb", "ngram_range": (1, 5)},
    "characters in words, by trie": {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True},
    "long characters in words": {"analyzer": "char_wb", "ngram_range": (4, 6), "norm": None},
    "as written": {"lowercase": False, "ngram_range": (1, 2), "norm": "l1"},
    "without accents": {"strip_accents": "unicode", "ngram_range": (1, 2)},
    "in ASCII": {"strip_accents": "ascii", "analyzer": "char", "ngram_range": (2, 3)},
    "without stop words": {"stop_words": ["the", "free", "naïve", "x"], "ngram_range": (1, 2)},
}


@cache
def pipeline(way: str) -> Pipeline:
    vectoriser = TfidfVectorizer(**WAYS[way])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the stop word "x" is no token of two letters
        return make_pipeline(vectoriser, LogisticRegression(C=10.0)).fit(CORPUS, TARGETS)


@cache
def model_of(way: str) -> LinearModel:
    return convert_pipeline(pipeline(way), ["ham", "spam"], {})


def in_python(model: LinearModel) -> LinearModel:
    """Return the same model, which Python scores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_KERNEL", "python")
        blocks = [Block(b.spec, b.vocabulary, b.scale, b.coef) for b in model.blocks]
        same = LinearModel(model.labels, model.link, blocks, model.intercept, model.evidence)
        assert same._compiled is None
        assert all(block.compiled is None for block in blocks)
    return same


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None)
@given(given_texts=st.lists(texts(), min_size=1, max_size=5))
def test_a_text_gets_the_probability_and_label_of_scikit_learn(way: str, given_texts: list[str]) -> None:
    expected = pipeline(way).predict_proba(given_texts)
    found = model_of(way).predict_proba(given_texts)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    sure = np.abs(expected[:, 0] - 0.5) > 1e-9
    assert np.array_equal(found.argmax(axis=1)[sure], expected.argmax(axis=1)[sure])


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None)
@given(given_texts=st.lists(texts(), max_size=5))
def test_both_forms_agree(way: str, given_texts: list[str]) -> None:
    model, plain = model_of(way), in_python(model_of(way))
    np.testing.assert_allclose(model.logits(given_texts), plain.logits(given_texts), rtol=0, atol=1e-12)
    assert unknown_shares(model, given_texts) == unknown_shares(plain, given_texts)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Return a block that knows some n-grams of made-up texts, counted in any way."""
    low = draw(st.integers(1, 5))
    spec = NgramSpec(
        analyzer=draw(st.sampled_from(["words", "all-words", "words-and-punctuation", "char", "char_wb"])),
        ngrams=(low, draw(st.integers(low, 10))),
        lowercase=draw(st.booleans()),
        strip_accents=draw(st.sampled_from(["none", "ascii", "unicode"])),
        stop_words=tuple(draw(st.lists(st.sampled_from([*WORDS, *ODD]) | st.text(max_size=3), max_size=3))),
        tf=draw(st.sampled_from(["count", "log", "binary"])),
        norm=draw(st.sampled_from(["l1", "l2", "none"])),
    )
    known = draw(st.lists(texts(valid=True), max_size=4))
    grams = sorted({gram for text in known for gram in analyzer_of(spec)(text)})
    numbers = np.random.default_rng(len(grams))
    scale = numbers.uniform(-1, 2, len(grams)) if draw(st.booleans()) else None
    return Block(spec, Vocabulary.build(grams)[0], scale, numbers.normal(size=(len(grams), 3)))


@settings(max_examples=300, deadline=None)
@given(made_up=st.lists(blocks(), min_size=1, max_size=3), data=st.data())
def test_both_forms_agree_whatever_the_model(made_up: list[Block], data: st.DataObject) -> None:
    model = LinearModel(["a", "b", "c"], "softmax", made_up, np.array([0.5, -1.0, 0.0]))
    given_texts = data.draw(st.lists(texts(), max_size=4))
    found = model.logits(given_texts)
    np.testing.assert_allclose(found, in_python(model).logits(given_texts), rtol=1e-12, atol=1e-12)
    assert [model.logits_of(text) for text in given_texts] == [tuple(row) for row in found.tolist()]
    again = model.logits(given_texts[::-1] * 2)
    assert np.array_equal(again, np.vstack([found[::-1], found[::-1]]))


@pytest.mark.parametrize(
    ("analyzer", "last"), [("words-and-punctuation", 0x32400), ("all-words", 0x3100), ("char_wb", 0x3100)]
)
def test_every_character_is_lower_cased_and_cut_as_in_python(analyzer: Any, last: int) -> None:
    """Of the planes that have letters, each between two others."""
    points = [*range(last), *range(0xE0000, 0xE01F0)]
    lines = [points[at : at + 512] for at in range(0, len(points), 512)]
    written = [" ".join(f"x{chr(point)}Y" for point in line) for line in lines]
    spec = NgramSpec(analyzer=analyzer, ngrams=(1, 1) if analyzer != "char_wb" else (2, 4), norm="none")
    grams = {gram for text in written for gram in analyzer_of(spec)(text)}
    known = sorted(gram for gram in grams if not any("\ud800" <= each <= "\udfff" for each in gram))
    numbers = np.random.default_rng(0).normal(size=(len(known), 1))
    block = Block(spec, Vocabulary.build(known)[0], None, numbers)
    model = LinearModel(["a", "b"], "sigmoid", [block], np.zeros(1))
    np.testing.assert_allclose(model.logits(written), in_python(model).logits(written), atol=1e-9)


def test_no_two_other_characters_become_two_or_look_at_their_neighbours() -> None:
    """What C's own lower-casing rests on: only two characters go through Python."""
    odd = {"\u0130", "\u03a3"}
    alone = [chr(point).lower() for point in range(0x110000) if chr(point) not in odd]
    assert set(map(len, alone)) == {1}
    assert "".join(map(chr, range(0x110000))).translate(dict.fromkeys(map(ord, odd))).lower() == "".join(
        alone
    )


def test_words_with_one_hash_are_told_apart_by_their_bytes() -> None:
    twin, stray, longer = (colliding("free", begin) for begin in ("x", "y", "longer"))
    both, one = made({"free": [1.0], twin: [8.0]}), made({twin: [8.0]})
    for model in (both, in_python(both)):
        assert model.logits_of(f"{stray} free {longer} {twin} {twin} fre") == (17.0,)
    for model in (one, in_python(one)):
        assert model.logits_of(f"free {stray} {longer}") == (0.0,)
        assert model.blocks[0].count_unknown(f"free {stray} {longer} {twin} {stray}") == (4, 3)


HOSTILE = {
    "nothing": "",
    "NUL": "free\0prize\0\0",
    "lone surrogates": "free \ud800 prize\udfff",
    "one token of 10 MB": "free prize " + "x" * 10_000_000,
    "one odd token of 10 MB": "prize " + "é" * 5_000_000,
    "a million tokens": " ".join(f"w{number}" for number in range(1_000_000)) + " free",
    "right to left": "\u202eeerf שלום free مرحبا",
    "marks": "fre\u0301e" + "\u0301" * 10_000 + " prize",
    "emoji": "free 👩\u200d👩\u200d👧\u200d👦🏽 prize" * 50,
    "white space": " \t\n\x1c\u3000" * 10_000 + "free",
}


LARGE = {name for name, text in HOSTILE.items() if len(text) > 1_000_000}
CASES = [
    (way, name)
    for way in (
        "words, one to three",
        "punctuation",
        "characters in words",
        "characters in words, by trie",
    )
    for name in HOSTILE
    # scikit-learn takes a minute to make so many n-grams of characters.
    if way == "words, one to three" or name not in LARGE
]


@pytest.mark.parametrize(("way", "name"), CASES)
def test_a_hostile_text_gets_the_answer_of_scikit_learn(way: str, name: str) -> None:
    text = HOSTILE[name]
    expected = pipeline(way).predict_proba([text])
    np.testing.assert_allclose(model_of(way).predict_proba([text]), expected, atol=1e-9)


def test_10_mb_in_one_token_are_cut_into_characters() -> None:
    model = made({"xx": [1.0], "xxx": [8.0], " x": [64.0]}, analyzer="char_wb", ngrams=(2, 3))
    assert model.logits_of("x" * 10_000_000) == (9_999_999 + 8 * 9_999_998 + 64,)


def test_threads_score_the_same_model_at_the_same_time() -> None:
    model = model_of("characters in words")
    many = CORPUS * 20
    expected = model.logits(many)
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(found, expected) for found in pool.map(model.logits, [many] * 8))


def test_evidence_counts_the_same_alone_and_in_a_batch() -> None:
    words = made({"free": [0.1, 0.7]}, link="softmax")
    evidence = EvidenceWeights(("a", "b", "c"), np.array([[0.1, 0.2], [0.3, -0.6], [1e9, 1e-9]]))
    for model in (LinearModel(words.labels, "softmax", words.blocks, words.intercept, evidence),):
        for plain in (model, in_python(model)):
            for hits in ((), (0,), (2, 0, 1), (1, 2)):
                row = np.isin(np.arange(3), hits)[np.newaxis]
                assert plain.logits_of("free", hits) == tuple(plain.logits(["free"], row)[0].tolist())
    with pytest.raises(ValueError, match="no evidence rule 3; there are 3"):
        model.logits_of("free", [3])


@pytest.mark.parametrize("thing", [b"free", 7, None, ["free"]])
def test_what_is_no_text_is_refused(thing: Any) -> None:
    model = made({"free": [1.0]})
    with pytest.raises(TypeError, match="a text must be str, not "):
        model.logits(["free", thing])
    with pytest.raises(TypeError, match="a text must be str, not "):
        model.logits_of(thing)
    with pytest.raises(TypeError, match="a text must be str, not "):
        model.blocks[0].count_unknown(thing)


def test_weights_of_a_mapped_file_are_read_where_they_lie(tmp_path: Path) -> None:
    model = model_of("words")
    write_tensors(tmp_path / "x", model.to_arrays())
    mapped = LinearModel.from_arrays(model.spec, map_tensors(tmp_path / "x"))
    assert np.array_equal(mapped.logits(CORPUS), model.logits(CORPUS))


def test_numbers_at_odd_addresses_are_copied_and_score_the_same() -> None:
    model = model_of("words")
    arrays = {name: misaligned(array) for name, array in model.to_arrays().items()}
    assert not arrays["0.coef"].flags.aligned
    assert np.array_equal(LinearModel.from_arrays(model.spec, arrays).logits(CORPUS), model.logits(CORPUS))


def misaligned(array: NDArray[Any]) -> NDArray[Any]:
    memory = np.zeros(array.nbytes + 1, np.uint8)
    moved = memory[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    return moved


def parts(**changes: Any) -> dict[str, Any]:
    """Return what a compiled block is made of, some of it changed."""
    vocabulary, _ = Vocabulary.build(["free", "prize", "now"])
    return {
        **{"analyzer": "words", "low": 1, "high": 1, "lowercase": True, "prepare": None, "stop_words": ()},
        **{"tf": "count", "norm": "none", "scale": None, "coef": np.ones((3, 1))},
        **vocabulary.to_arrays(),
        **changes,
    }


REFUSED = {
    "another analyzer": ({"analyzer": "letters"}, "analyzer cannot be letters"),
    "another tf": ({"tf": "sqrt"}, "tf cannot be sqrt"),
    "another norm": ({"norm": "max"}, "norm cannot be max"),
    "no tokens": ({"low": 0}, "n-grams cannot be of 0 to 1"),
    "falling sizes": ({"low": 2}, "n-grams cannot be of 2 to 1"),
    "too many tokens": ({"high": 11}, "n-grams cannot be of 1 to 11"),
    "wide hashes": ({"hashes": np.zeros(3, np.uint64)}, "hashes must have 1 axes and aligned numbers of 4"),
    "signed hashes": ({"hashes": np.zeros(3, np.int32)}, "hashes must have 1 axes"),
    "a hash too few": ({"hashes": np.zeros(2, np.uint32)}, "2 hashes, 4 offsets and 5 buckets"),
    "an offset too few": ({"offsets": np.zeros(3, np.uint64)}, "3 hashes, 3 offsets and 5 buckets"),
    "a bucket too few": ({"buckets": np.zeros(4, np.uint32)}, "3 hashes, 4 offsets and 4 buckets"),
    "keys in rows": ({"keys": np.zeros((3, 4), np.uint8)}, "keys must have 1 axes"),
    "float32": ({"coef": np.ones((3, 1), np.float32)}, "coef must have 2 axes and aligned numbers of 8"),
    "another byte order": ({"coef": np.ones((3, 1), ">f8")}, "coef must have 2 axes"),
    "a row too few": ({"coef": np.ones((2, 1))}, "a row for each of 3 features"),
    "a flat coef": ({"coef": np.ones(3)}, "coef must have 2 axes"),
    "a scale too few": ({"scale": np.ones(2)}, "a row for each of 3 features"),
    "odd addresses": ({"coef": misaligned(np.ones((3, 1)))}, "coef must have 2 axes and aligned"),
    "gaps": ({"coef": np.ones((3, 2))[:, :1]}, "ontiguous"),
    "a bytes array": ({"keys": None}, "bytes-like"),
    "a number as stop word": ({"stop_words": (7,)}, "must be str, not int"),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED)
def test_a_block_of_parts_that_do_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    scoring: Any = compiled("scoring")
    with pytest.raises((ValueError, TypeError, BufferError), match=message):
        scoring.Block(**parts(**changes))


def test_a_model_of_parts_that_do_not_fit_is_refused() -> None:
    scoring: Any = compiled("scoring")
    block = scoring.Block(**parts())
    with pytest.raises(ValueError, match="every block must have 2 logits"):
        scoring.Model((block,), np.zeros(2))
    with pytest.raises(TypeError, match="blocks must be of Block, not str"):
        scoring.Model(("block",), np.zeros(1))
    with pytest.raises(ValueError, match="intercept must have 1 axes"):
        scoring.Model((block,), np.zeros((1, 1)))
    model = scoring.Model((block,), np.zeros(1))
    for out in (np.zeros((2, 1)), np.zeros((1, 2)), np.zeros((1, 1), np.float32), np.zeros(1)):
        with pytest.raises(ValueError, match=r"^out must"):
            model.logits(["free"], out)
    with pytest.raises(ValueError, match="out must be writable"):
        model.logits(["free"], read_only(np.zeros((1, 1))))


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


@settings(deadline=None)
@given(
    hashes=st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3),
    offsets=st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 20), min_size=4, max_size=4),
    buckets=st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 4), min_size=5, max_size=5),
    keys=st.binary(max_size=20),
)
def test_a_table_that_points_anywhere_finds_less_and_reads_nothing_outside(
    hashes: list[int], offsets: list[int], buckets: list[int], keys: bytes
) -> None:
    """Such a table is refused when it is loaded; a file may still change after that."""
    known = Vocabulary.build(["free", "prize", "now"])[0].hashes.tolist()
    scoring: Any = compiled("scoring")
    for each in (hashes, known):
        arrays = {"hashes": np.array(each, np.uint32), "offsets": np.array(offsets, np.uint64)}
        arrays |= {"buckets": np.array(buckets, np.uint32), "keys": np.frombuffer(keys, np.uint8)}
        model = scoring.Model((scoring.Block(**parts(**arrays)),), np.zeros(1))
        assert 0 <= model.logits_of("free prize now free")[0] <= 4
