"""The wire format of protocol buffers, read field by field without a schema and without copies.

See https://protobuf.dev/programming-guides/encoding: a message is a row of fields, each a number, a kind, and
a value of that kind. What a field means is the reader's business.
"""

from collections.abc import Iterator
from typing import Final

VARINT: Final = 0
EIGHT_BYTES: Final = 1
BYTES: Final = 2
FOUR_BYTES: Final = 5
LONGEST_VARINT = 10
"""Bytes of 64 bits, seven in each."""
LARGEST_NUMBER = (1 << 29) - 1
"""Of a field."""

Value = int | memoryview
Field = tuple[int, Value]


class WireError(ValueError):
    """Bytes that are no message."""


def fields(message: memoryview) -> Iterator[Field]:
    """Yield the number and the value of each field: a varint's or fixed one's number, or a view of bytes.

    Raises WireError where the bytes end within a field, or for a kind that no message of today has.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        # Other readers keep 32 bits of a key: what they would take for another field must not pass.
        if not 1 <= number <= LARGEST_NUMBER:
            raise WireError(f"a field of the number {number} at byte {at}")
        value: Value
        if kind == VARINT:
            value, at = _varint(message, at)
        elif kind == BYTES:
            size, at = _varint(message, at)
            value, at = _piece(message, at, size), at + size
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if kind == EIGHT_BYTES else 4
            value, at = int.from_bytes(_piece(message, at, size), "little"), at + size
        else:
            raise WireError(f"a field of kind {kind} at byte {at}")
        yield number, value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and the place after it."""
    value = shift = 0
    for place in range(at, min(at + LONGEST_VARINT, len(message))):
        byte = message[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise WireError(f"a number at byte {at} does not end")


def _piece(message: memoryview, at: int, size: int) -> memoryview:
    if size > len(message) - at:
        raise WireError(f"{size:,} bytes are announced at byte {at}, and {len(message) - at:,} follow")
    return message[at : at + size]
