"""Identifiers of decisions and requests: UUIDs of version 7 (RFC 9562), their random bits drawn for many."""

import os
import time

DRAWN = 256
"""How many identifiers' random bits are drawn from the system together: a system call takes longer than all
else in an identifier."""

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}

# The bits that are left are of this process alone: a fork would hand out the same ones again.
_tails: list[str] = []
os.register_at_fork(after_in_child=_tails.clear)


def new_id() -> str:
    """Return an identifier that nothing else has, a UUID of version 7: 32 hexadecimal digits.

    The first 48 bits are milliseconds since the epoch, so that a log finds a decision by its time; 74 are
    random.
    """
    return _head() + _tail()


def new_ids(count: int) -> list[str]:
    """Return as many identifiers, all of this millisecond."""
    head = _head()
    if count == 1:
        return [head + _tail()]
    return [head + tail for tail in _draw(count)]


def time_of(identifier: str) -> float | None:
    """Return when an identifier was made, in seconds since the epoch; None when it is of another kind.

    >>> time_of("0199dd3cf0007abc8def0123456789ab")
    1760353382.4
    >>> time_of("8a5b0c9d2f3e4a618a5b0c9d2f3e4a61")
    """
    if identifier[12:13] != "7" or len(identifier) != 32:
        return None
    return int(identifier[:12], 16) / 1000


def _head() -> str:
    return (time.time_ns() // 1_000_000).to_bytes(6).hex()


def _tail() -> str:
    # Threads share the list without a lock: each takes an entry in one step, and two that find it empty
    # both fill it.
    while True:
        try:
            return _tails.pop()
        except IndexError:
            _tails.extend(_draw(DRAWN))


def _draw(count: int) -> list[str]:
    """Return what follows the time in as many identifiers: version, variant and random digits."""
    digits = os.urandom(10 * count).hex()
    return [
        f"7{digits[at : at + 3]}{_VARIANT[digits[at + 3]]}{digits[at + 4 : at + 19]}"
        for at in range(0, 20 * count, 20)
    ]
