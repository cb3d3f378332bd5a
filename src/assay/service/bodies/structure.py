"""How much a JSON text is made of, told before anything is built of it."""

import re

from assay.exceptions import RequestRefused
from assay.service.errors import fault, invalid
from assay.service.limits import MAX_FIELDS, Limits

LOOKED_AT_FROM = 256 * 1024
"""Bytes from which on a body is looked at; a shorter one is parsed at once, whatever it holds."""

# Possessive, so that a string without an end costs one pass and not every way to cut it.
_PARTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,:]', re.DOTALL)


def check_structure(raw: bytes, limits: Limits) -> None:
    """Raise RequestRefused with 422 when a long body has more parts than any that is allowed can have.

    Eight megabytes of ``[],[],[],`` would become three million lists, and hold up everybody meanwhile.
    Reading stops at the part that is too many.
    """
    if len(raw) < LOOKED_AT_FROM:
        return
    # A text and its comma each, and what the other fields are made of.
    most = 2 * limits.max_texts + 8 * MAX_FIELDS
    if any(number > most for number, _ in enumerate(_PARTS.finditer(raw), start=1)):
        raise _too_many(limits)


def _too_many(limits: Limits) -> RequestRefused:
    said = (
        f"The body has too many parts: a request has at most {limits.max_texts:,} texts and nothing beside."
    )
    return invalid([fault("", said, None)])
