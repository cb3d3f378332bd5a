"""Draws that depend on nothing but a name and a text, so that every run changes a text the same way."""

import hashlib
from collections.abc import Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


class Draws:
    """A stream of choices for one text that can be scored; another name gives another stream.

    >>> Draws("typos", "see you").among("abc") == Draws("typos", "see you").among("abc")
    True
    """

    def __init__(self, name: str, text: str) -> None:
        seed = hashlib.sha256(f"{name}\0{text}".encode()).digest()
        self._random = Random(int.from_bytes(seed, "big"))  # noqa: S311 - nothing here is a secret

    def among(self, items: Sequence[Item]) -> Item:
        """Return one of the items."""
        # Of all that Random has, only random() is promised to stay the same from one Python to the next.
        return items[int(self._random.random() * len(items))]

    def some(self, items: Sequence[Item], count: int) -> list[Item]:
        """Return different ones of the items; all where there are fewer than ``count``."""
        left = list(items)
        return [left.pop(self.among(range(len(left)))) for _ in range(min(count, len(left)))]
