"""Words with the same hash."""

from functools import cache
from itertools import count
from zlib import crc32


def colliding(gram: str, begin: str) -> str:
    """Return a text that begins otherwise and has the same CRC-32; those of one ``begin`` have one length.

    Four free bytes lead CRC-32 to any value: beginnings are numbered until the four are
    small letters or digits.
    """
    target = crc32(gram.encode())
    for number in count():
        text = f"{begin}{number:06}"
        tail = _tail_to(target, crc32(text.encode()))
        if tail.isalnum() and tail.islower():
            return text + tail.decode()
    raise AssertionError


def _tail_to(target: int, state: int) -> bytes:
    """Return the four bytes that lead CRC-32 from a state to a target, by running its table backwards."""
    table = _table()
    reverse = {entry >> 24: byte for byte, entry in enumerate(table)}
    wanted, indices = target ^ 0xFFFFFFFF, []
    for _ in range(4):
        index = reverse[wanted >> 24]
        indices.append(index)
        wanted = ((wanted ^ table[index]) << 8) & 0xFFFFFFFF
    register, tail = state ^ 0xFFFFFFFF, []
    for index in reversed(indices):
        tail.append((register ^ index) & 0xFF)
        register = (register >> 8) ^ table[index]
    return bytes(tail)


@cache
def _table() -> list[int]:
    return [_entry(byte) for byte in range(256)]


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xEDB88320 if byte & 1 else 0)
    return byte
