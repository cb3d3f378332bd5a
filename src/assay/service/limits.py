"""Every limit of the service, as explicit numbers; the longest text is ``config.MAX_TEXT_BYTES``."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an operator may set; the settings of the same names say what each is."""

    max_texts: int = 1_000
    max_body_bytes: int = 8 * 1024 * 1024
    max_upload_bytes: int = 1024**3
    header_seconds: float = 10.0
    body_seconds: float = 20.0
    max_connections: int = 1_000
    max_in_flight: int = 32
    max_delay_ms: float = 25.0
    encoder_deadline_seconds: float = 30.0


MAX_SUBJECT_CHARACTERS = 256
"""The longest ``subject`` of a request."""

MAX_REQUEST_ID_CHARACTERS = 128
"""The longest ``X-Request-ID`` that is taken over from a client."""

INLINE_BYTES = 262_144
"""Up to this length a body is parsed on the event loop."""

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

COUNTING_THREADS = 1
"""Threads that add up the counts of all workers: with many series that takes tenths of a second,
in which the event loop must go on."""

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
MAX_FIELDS = 32
"""How many fields an object of a body may have; none that is known comes near."""

MAX_GZIP_MEMBERS = 100
"""How many files of gzip in a row a compressed body may be."""

COMPRESSED_FROM = 1_024
"""Bytes from which on an answer is compressed for those who take it so."""

CACHE_BYTES = 64 * 1024 * 1024
"""What the cache of decisions may take of a worker's memory, whatever the number of its entries."""

MAX_LABEL_CHARACTERS = 128
"""The longest label of feedback."""

FEEDBACK_THREADS = 2
FEEDBACK_WAITING = 32
"""Threads that write feedback, and how many requests may wait for one before more are turned away."""
MAX_HEADER_BYTES = 32_768
MAX_HEADERS = 100
"""Request line and headers of one request, together and in number."""

BODY_BYTES_A_SECOND = 1_000
"""Bytes of a body that buy its client one second more."""

RESERVED_CONNECTIONS = 32
"""Connections over the limit whose path is read, so that health and metrics answer in a crowd."""

RESERVED_SECONDS = 2.0
"""Seconds in which the headers on such a connection must come."""

LINGERING_CONNECTIONS = 256
LINGER_SECONDS = 2.0
"""How many connections, and how long, are read after their last answer: closed with unread bytes, TCP would
take the answer back."""

STALLED_SECONDS = 30.0
"""A client that takes nothing of its answer for so long is cut off."""

IDLE_SECONDS = 65
"""How long a connection is kept without a request; longer than proxies keep theirs, so that they end it."""

LEAVING_SECONDS = 1.0
"""How long a connection without a request is kept when the service stops: one may be on its way."""

FEW_IN_FLIGHT = 16
"""So many requests at a time are taken on whatever the delay of the event loop: a large body, a collection of
garbage or another process make it late for a moment, and that is no overload."""

RETRY_SECONDS = 1
"""What ``Retry-After`` says where the service is too busy."""

SKIPPED_BODY_BYTES = 65_536
"""A refused request's connection is kept when no more body than this is still to come."""

WATCH_SECONDS = 0.02
"""Pause between two looks at how late the event loop is."""

LOOK_SECONDS = 0.25
"""Pause between two looks at the connections for slow clients."""
