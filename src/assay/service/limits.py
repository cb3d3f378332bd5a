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

PIN_SECONDS = 20
"""How long one of them waits."""

MAX_FIELDS = 32
"""How many fields an object of a body may have; none that is known comes near."""

MAX_GZIP_MEMBERS = 100
"""How many files of gzip in a row a compressed body may be."""

COMPRESSED_FROM = 1_024
"""Bytes from which on an answer is compressed for those who take it so."""

MAX_LABEL_CHARACTERS = 128
"""The longest label of feedback."""

FEEDBACK_THREADS = 2
FEEDBACK_WAITING = 32
"""Threads that write feedback, and how many requests may wait for one before more are turned away."""
