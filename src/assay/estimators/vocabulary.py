"""The table from n-gram to feature number: one hash table in flat arrays, ready to be memory-mapped."""

from collections.abc import Mapping, Sequence
from typing import Any, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from assay.exceptions import ArtifactError


class Vocabulary:
    """A set of n-grams, numbered in the order of their hashes.

    ``hashes`` (n, uint32, ascending) holds the CRC-32 of each n-gram's UTF-8 bytes, ``keys`` (uint8) those
    bytes one after the other, and ``offsets`` (n + 1, uint64) where each begins. ``buckets`` (uint32) says
    where the hashes with the same leading bits begin, so that an n-gram is found in a step or two.
    A hash only nominates: the bytes are compared, always.
    """

    def __init__(
        self,
        hashes: NDArray[np.uint32],
        offsets: NDArray[np.uint64],
        keys: NDArray[np.uint8],
        buckets: NDArray[np.uint32],
    ) -> None:
        self.hashes, self.offsets, self.keys, self.buckets = hashes, offsets, keys, buckets
        self._bytes = memoryview(keys)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.hashes)

    @classmethod
    def build(cls, grams: Sequence[str]) -> tuple[Self, NDArray[np.intp]]:
        """Return the vocabulary of distinct n-grams, and the order in which it numbers them.

        ``order[i]`` is the place among ``grams`` of feature ``i``: an array of weights per n-gram given
        becomes one per feature by ``weights[order]``.
        """
        encoded = [gram.encode() for gram in grams]
        hashes = np.fromiter(map(crc32, encoded), np.uint32, len(encoded))
        order = np.argsort(hashes, kind="stable")
        sizes = np.fromiter(map(len, encoded), np.uint64, len(encoded))[order]
        offsets = np.concatenate([np.zeros(1, np.uint64), np.cumsum(sizes, dtype=np.uint64)])
        keys = np.frombuffer(b"".join(encoded[i] for i in order), np.uint8)
        ordered = hashes[order]
        return cls(ordered, offsets, keys, _buckets(ordered)), order

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the vocabulary of stored arrays, after checking that they fit together.

        Raises ArtifactError.
        """
        try:
            hashes, offsets, keys, buckets = (arrays[k] for k in ("hashes", "offsets", "keys", "buckets"))
        except KeyError as error:
            raise ArtifactError(f"The vocabulary lacks the array {error}.") from error
        sound = (
            [str(a.dtype) for a in (hashes, offsets, keys)] == ["uint32", "uint64", "uint8"]
            and hashes.ndim == offsets.ndim == keys.ndim == 1
            and len(offsets) == len(hashes) + 1
            and offsets[0] == 0
            and offsets[-1] == len(keys)
            and bool(np.all(offsets[1:] >= offsets[:-1]))
            and bool(np.all(hashes[1:] >= hashes[:-1]))
            and np.array_equal(buckets, _buckets(hashes))
        )
        if not sound:
            raise ArtifactError("The vocabulary's arrays do not fit together.")
        return cls(hashes, offsets, keys, buckets)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays to store."""
        return {"hashes": self.hashes, "offsets": self.offsets, "keys": self.keys, "buckets": self.buckets}

    def gram(self, feature: int) -> str:
        """Return the n-gram of a feature number."""
        return self._key(feature).decode()

    def find(self, grams: Sequence[str]) -> NDArray[np.intp]:
        """Return each n-gram's feature number, -1 for those that are not in the vocabulary."""
        found = np.full(len(grams), -1, np.intp)
        if not len(self):
            return found
        # A lone surrogate is in no valid text, so no vocabulary has it: it is looked up and not found.
        encoded = [gram.encode("utf-8", "surrogatepass") for gram in grams]
        wanted = np.fromiter(map(crc32, encoded), np.uint32, len(encoded))
        places = self._places(wanted)
        hits = np.flatnonzero(self.hashes.take(places, mode="clip") == wanted)
        found[hits] = nominated = places[hits]
        keys = [encoded[hit] for hit in hits.tolist()]
        for number in np.flatnonzero(~self._holds(nominated, keys)).tolist():
            hit, place = hits[number], int(nominated[number])
            found[hit] = self._find_among_equals(keys[number], place, int(wanted[hit]))
        return found

    def _places(self, wanted: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Return where each hash belongs among ``hashes``, searched inside its bucket."""
        buckets = wanted >> np.uint32(32 - _bits(len(self)))
        places: NDArray[np.intp] = self.buckets[buckets].astype(np.intp)
        ends = self.buckets[buckets + np.uint32(1)]
        while True:
            behind = (self.hashes.take(places, mode="clip") < wanted) & (places < ends)
            if not behind.any():
                return places
            places += behind

    def _holds(self, features: NDArray[np.intp], keys: Sequence[bytes]) -> NDArray[np.bool_]:
        """Return whether each feature's bytes are those of the key beside it, comparing all at once."""
        begins, ends = self.offsets[features].astype(np.intp), self.offsets[features + 1].astype(np.intp)
        sizes = np.fromiter(map(len, keys), np.intp, len(keys))
        same: NDArray[np.bool_] = ends - begins == sizes
        stops = np.cumsum(sizes)
        at = np.repeat(begins - stops + sizes, sizes) + np.arange(stops[-1] if len(stops) else 0)
        # A key longer than its feature reads on; ``same`` is already False there.
        stored = self.keys.take(at, mode="clip")
        differing = np.flatnonzero(stored != np.frombuffer(b"".join(keys), np.uint8))
        same[np.searchsorted(stops, differing, side="right")] = False
        return same

    def _find_among_equals(self, key: bytes, place: int, wanted: int) -> int:
        """Return the feature of a key whose hash others share; ``place`` is the first of them."""
        while place < len(self) and self.hashes[place] == wanted:
            if self._key(place) == key:
                return place
            place += 1
        return -1

    def _key(self, feature: int) -> bytes:
        return self._bytes[int(self.offsets[feature]) : int(self.offsets[feature + 1])].tobytes()


def _bits(count: int) -> int:
    """Return how many leading bits of a hash choose its bucket, so that a bucket holds about one."""
    return max(1, count.bit_length())


def _buckets(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return where each bucket begins: the run of hashes with equal leading bits."""
    bits = _bits(len(hashes))
    edges = np.arange(2**bits, dtype=np.uint64) << np.uint64(32 - bits)
    starts = np.searchsorted(hashes, edges.astype(np.uint32)).astype(np.uint32)
    return np.append(starts, np.uint32(len(hashes)))
