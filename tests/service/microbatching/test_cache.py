"""Logits that were computed are not computed again: what is kept, for how long, and what a key tells."""

import math
from array import array
from collections.abc import Mapping, Sequence

import pytest

from assay.service.microbatching.cache import ENTRY_BYTES, KEY_BYTES, DecisionCache, LocalCache, key_of
from tests.service.microbatching.told import Told

DIGEST = "ab" * 32


class Shared:
    """A remote cache in memory."""

    fault = ""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}

    def get(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.values.get(key) for key in keys]

    def put(self, values: Mapping[bytes, bytes]) -> None:
        self.values.update(values)

    async def watch(self) -> None:
        """Do nothing."""


def keys_of(*texts: str) -> list[bytes]:
    """Return the keys of texts."""
    return [key_of(DIGEST, text) for text in texts]


def test_a_key_is_of_a_text_and_of_what_decides() -> None:
    texts = ["free prize", "free prize ", "Free prize", "", "\x00", "日本語"]
    keys = {key_of(digest, text) for digest in (DIGEST, "cd" * 32, "") for text in texts}
    assert len(keys) == 3 * len(texts)
    assert {len(key) for key in keys} == {KEY_BYTES}


def test_no_key_holds_its_text() -> None:
    assert not any(b"secret" in key for key in keys_of("secret", "my secret is out", "secret" * 1_000))


def test_the_entries_used_last_are_kept() -> None:
    cache = LocalCache(2)
    cache.put(b"a", b"1")
    cache.put(b"b", b"2")
    assert cache.get(b"a") == b"1"
    cache.put(b"c", b"3")
    assert [cache.get(key) for key in (b"a", b"b", b"c")] == [b"1", None, b"3"]
    assert len(cache) == 2


def test_it_takes_no_more_memory_than_it_may() -> None:
    each = ENTRY_BYTES + 2
    cache = LocalCache(1_000, 3 * each)
    for number in range(10):
        cache.put(bytes([number]), b"x")
    assert (len(cache), cache.size) == (3, 3 * each)
    cache.put(bytes([9]), b"xxx")
    assert cache.size <= 3 * each
    assert cache.get(bytes([9])) == b"xxx"


def test_none_is_kept_where_none_may_be() -> None:
    cache = LocalCache(0)
    cache.put(b"a", b"1")
    assert (cache.get(b"a"), len(cache), cache.size) == (None, 0, 0)


def test_logits_come_back_to_the_last_bit() -> None:
    told = Told()
    cache = DecisionCache(LocalCache(10), None, told)
    logits = (0.1, -math.pi, 1e-300)
    one, other = keys_of("one", "other")
    assert cache.find([one, other], 3) == [None, None]
    cache.keep({one: logits})
    assert cache.find([one, other, one], 3) == [logits, None, logits]
    assert cache.at_hand(one) == logits
    assert cache.at_hand(other) is None
    assert told.looked == {"none": 3, "local": 3}
    assert told.held == (1, cache.local.size)
    assert cache.state() == {"entries": 1, "bytes": cache.local.size, "reason": None}


def test_what_another_replica_computed_is_found_and_then_at_hand() -> None:
    shared, told = Shared(), Told()
    mine, yours = (DecisionCache(LocalCache(10), shared, each) for each in (told, Told()))
    one, other = keys_of("one", "other")
    yours.keep({one: (1.5,)})
    assert mine.at_hand(one) is None
    assert mine.find([one, other], 1) == [(1.5,), None]
    assert mine.at_hand(one) == (1.5,)
    assert told.looked == {"redis": 1, "none": 1, "local": 1}


@pytest.mark.parametrize(
    "value", [b"", b"1.5", array("d", [1.0, 2.0]).tobytes(), array("d", [math.nan]).tobytes()]
)
def test_what_has_not_the_form_of_logits_is_not_believed(value: bytes) -> None:
    shared = Shared()
    cache = DecisionCache(LocalCache(10), shared, Told())
    [key] = keys_of("one")
    shared.values[key] = value
    assert cache.find([key], 1) == [None]
    assert cache.at_hand(key) is None
