"""Every limit of the service, as explicit numbers; the longest text is ``config.MAX_TEXT_BYTES``."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an operator may set; the settings of the same names say what each is."""

    max_texts: int = 1_000
    max_body_bytes: int = 8 * 1024 * 1024
    max_upload_bytes: int = 1024**3


MAX_SUBJECT_CHARACTERS = 256
"""The longest ``subject`` of a request."""

MAX_REQUEST_ID_CHARACTERS = 128
"""The longest ``X-Request-ID`` that is taken over from a client."""

INLINE_TEXTS = 8
INLINE_CHARACTERS = 8_192
"""Up to this many texts and characters together are decided on the event loop; more go to a thread, so
that a long request does not hold up short ones."""

DECIDING_THREADS = 2
"""Threads that decide at the same time: deciding is computation, more would starve the event loop."""

SHOWN_CHARACTERS = 60
"""How much of a wrong value an error shows."""

SHOWN_FAULTS = 20
"""How many faults of one request an error lists."""

KEPT_VERSIONS = 4
"""Versions kept for requests that name one, beside those that answer and their predecessors."""

PINS_WAITING = 8
"""Requests that may wait for a version to be loaded."""

PINS_UNDER_WAY = 2
"""Versions that may be under way: one is loaded, others were given up by those who waited for them."""

PIN_SECONDS = 20
"""How long one of them waits."""

FILES_AT_ONCE = 4
"""Files that one worker takes at the same time, from their first byte to the last of their answer."""

FILES_RETRY_SECONDS = 10
"""When to come back, for those who find all places taken."""

FILE_THREADS = 1
"""Threads that receive and score files: all files share it, step by step, and leave the rest to requests."""

FILE_ROWS = 16
FILE_CHARACTERS = 8_192
"""Rows of a file, and characters in them, that are decided in one step: about as much as a thread of Python
computes before it must let another, so that a request waits for one step and not for many."""

MAX_COLUMNS_SHOWN = 50
"""How many of a file's columns an error lists."""
