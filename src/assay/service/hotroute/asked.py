"""The body of a plain request: one text, and whose it is."""

from typing import NamedTuple

import orjson

from assay.exceptions import RequestRefused
from assay.service.bodies import refuse_repeats
from assay.service.limits import INLINE_CHARACTERS, MAX_SUBJECT_CHARACTERS

FIELDS = frozenset({"text", "subject"})


class Asked(NamedTuple):
    """One text to be decided."""

    text: str
    subject: str | None


def read_asked(body: bytes) -> Asked | None:
    """Return what a body asks; None where it is wrong, or more than one text of a common length.

    Whoever reads it then says which, and what is wrong.
    """
    try:
        value = orjson.loads(body)
        refuse_repeats(body, value)
    except (ValueError, RecursionError, RequestRefused):
        return None
    if type(value) is not dict or not value.keys() <= FIELDS:
        return None
    text, subject = value.get("text"), value.get("subject")
    if type(text) is not str or not text or text.isspace() or len(text) > INLINE_CHARACTERS:
        return None
    if subject is not None and (type(subject) is not str or len(subject) > MAX_SUBJECT_CHARACTERS):
        return None
    return Asked(text, subject)
