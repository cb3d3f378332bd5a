"""The hash table of n-grams: found by hash, believed by their bytes."""

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.estimators.vocabulary import Vocabulary
from assay.exceptions import ArtifactError
from tests.estimators.collisions import colliding

Arrays = dict[str, NDArray[Any]]


def test_n_grams_with_one_hash_are_told_apart_by_their_bytes() -> None:
    known = [colliding("free", "x"), "free", "lunch"]
    strays = [colliding("free", "y"), colliding("free", "longer")]
    assert len({crc32(gram.encode()) for gram in known[:2] + strays}) == 1
    assert len(known[0]) == len(strays[0])
    vocabulary, order = Vocabulary.build(known)
    features = {known[place]: number for number, place in enumerate(order)}
    grams = [*strays, *known, *strays]
    assert vocabulary.find(grams).tolist() == [features.get(gram, -1) for gram in grams]


def test_the_beginning_of_an_n_gram_with_its_hash_is_not_taken_for_it() -> None:
    longer = colliding("free", "free")
    assert Vocabulary.build([longer])[0].find(["free", longer]).tolist() == [-1, 0]
    assert Vocabulary.build(["free"])[0].find(["free", longer]).tolist() == [0, -1]


@given(grams=st.lists(st.text(min_size=1), unique=True, max_size=60), strays=st.lists(st.text(), max_size=20))
def test_every_n_gram_is_found_and_no_other(grams: list[str], strays: list[str]) -> None:
    vocabulary, order = Vocabulary.build(grams)
    assert [vocabulary.gram(feature) for feature in range(len(vocabulary))] == [grams[i] for i in order]
    found = vocabulary.find([*grams, *strays])
    number = {grams[place]: feature for feature, place in enumerate(order)}
    assert found.tolist() == [number.get(gram, -1) for gram in [*grams, *strays]]


def test_a_large_vocabulary_finds_the_first_and_last_hash() -> None:
    grams = [f"gram {number}" for number in range(5_000)]
    vocabulary, order = Vocabulary.build(grams)
    assert [grams[order[feature]] for feature in vocabulary.find(grams)] == grams
    assert vocabulary.find([f"stray {number}" for number in range(5_000)]).max() == -1


def test_an_empty_vocabulary_finds_nothing() -> None:
    vocabulary, order = Vocabulary.build([])
    assert (len(vocabulary), len(order)) == (0, 0)
    assert vocabulary.find(["free"]).tolist() == [-1]
    assert Vocabulary.from_arrays(vocabulary.to_arrays()).find(["free"]).tolist() == [-1]


def test_stored_arrays_find_the_same() -> None:
    vocabulary, _ = Vocabulary.build(["free", "prize", "naïve café", "日本"])
    again = Vocabulary.from_arrays(vocabulary.to_arrays())
    grams = ["日本", "naïve café", "free", "none"]
    assert again.find(grams).tolist() == vocabulary.find(grams).tolist()


def replaced(name: str, change: Callable[[NDArray[Any]], Any]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: np.asarray(change(arrays[name]))}


DAMAGE = {
    "hashes out of order": replaced("hashes", lambda a: a[::-1]),
    "hashes of another type": replaced("hashes", lambda a: a.astype(np.uint64)),
    "hashes in two dimensions": replaced("hashes", lambda a: a.reshape(1, -1)),
    "a hash too few": replaced("hashes", lambda a: a[1:]),
    "offsets that fall": replaced("offsets", lambda a: np.array([0, 9, 5, a[-1]], np.uint64)),
    "offsets that begin late": replaced("offsets", lambda a: np.array([1, *a[1:]], np.uint64)),
    "offsets past the keys": replaced("offsets", lambda a: np.array([*a[:-1], a[-1] + 1], np.uint64)),
    "no offsets": replaced("offsets", lambda a: a[:0]),
    "keys cut off": replaced("keys", lambda a: a[:-1]),
    "keys of another type": replaced("keys", lambda a: a.astype(np.float32)),
    "buckets shifted": replaced("buckets", lambda a: np.roll(a, 1)),
    "too few buckets": replaced("buckets", lambda a: a[:-1]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_arrays_that_do_not_fit_together_are_refused(damage: Callable[[Arrays], Arrays]) -> None:
    vocabulary, _ = Vocabulary.build(["free", "prize", "now"])
    with pytest.raises(ArtifactError, match="do not fit together"):
        Vocabulary.from_arrays(damage(vocabulary.to_arrays()))


def test_hashes_in_disorder_inside_a_bucket_are_refused() -> None:
    arrays = Vocabulary.build([f"gram {number}" for number in range(100)])[0].to_arrays()
    first = int(arrays["buckets"][np.flatnonzero(np.diff(arrays["buckets"].astype(int)) > 1)[0]])
    hashes = arrays["hashes"].copy()
    hashes[[first, first + 1]] = hashes[[first + 1, first]]
    with pytest.raises(ArtifactError, match="do not fit together"):
        Vocabulary.from_arrays(arrays | {"hashes": hashes})


@pytest.mark.parametrize("name", ["hashes", "offsets", "keys", "buckets"])
def test_a_missing_array_is_named(name: str) -> None:
    arrays = Vocabulary.build(["free"])[0].to_arrays()
    del arrays[name]
    with pytest.raises(ArtifactError, match=f"lacks the array '{name}'"):
        Vocabulary.from_arrays(arrays)
