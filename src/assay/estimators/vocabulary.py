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
    where the hashes with the same leading ``bits`` begin, so that compiled code finds an n-gram in one
    step; numpy's binary search does without. A hash only nominates: the bytes are compared, always.
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
        encoded = [gram.encode() for gram in grams]
        wanted = np.fromiter(map(crc32, encoded), np.uint32, len(encoded))
        places = np.searchsorted(self.hashes, wanted)
        hits = np.flatnonzero(self.hashes[np.minimum(places, len(self) - 1)] == wanted)
        nominated = places[hits]
        begins, ends = self.offsets[nominated].tolist(), self.offsets[nominated + 1].tolist()
        keys = self._bytes
        for at, place, begin, end in zip(hits.tolist(), nominated.tolist(), begins, ends, strict=True):
            same = keys[begin:end].tobytes() == encoded[at]
            found[at] = place if same else self._find_among_equals(encoded[at], place, int(wanted[at]))
        return found

    def _find_among_equals(self, key: bytes, place: int, wanted: int) -> int:
        """Return the feature of a key whose hash others share; ``place`` is the first of them."""
        while place < len(self) and self.hashes[place] == wanted:
            if self._key(place) == key:
                return place
            place += 1
        return -1

    def _key(self, feature: int) -> bytes:
        return self._bytes[int(self.offsets[feature]) : int(self.offsets[feature + 1])].tobytes()


def _buckets(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return where each run of hashes with equal leading bits begins: about one hash a bucket."""
    bits = max(1, len(hashes).bit_length())
    edges = np.arange(2**bits, dtype=np.uint64) << np.uint64(32 - bits)
    starts = np.searchsorted(hashes, edges.astype(np.uint32)).astype(np.uint32)
    return np.append(starts, np.uint32(len(hashes)))
