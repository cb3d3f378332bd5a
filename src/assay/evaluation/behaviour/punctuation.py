"""Punctuation that says nothing new: the mark at the end, and the commas between words."""

import re

from assay.evaluation.behaviour.prose import ends_apart

MARKS = ".!?…。！？؟।"
"""What may stand at the end of a sentence."""
_comma = re.compile(r"(?<=\w) ?,(?=\s)")


def change_punctuation(text: str) -> str | None:
    """Return a text without its marks at the end, or with a full stop where it has none, and without commas.

    None for a text that ends in neither a mark nor a letter or digit and has no comma after a word. A full
    stop never follows a link.

    >>> change_punctuation("Well, see you!"), change_punctuation("on my way")
    ('Well see you', 'on my way.')
    """
    body = text.rstrip()
    kept = body.rstrip(MARKS + " ")
    if kept == body:
        full_stop = body[-1].isalnum() and not ends_apart(body)
        ended = f"{body}." if full_stop else body
    else:
        ended = kept if any(map(str.isalnum, kept)) else body
    changed = _comma.sub("", ended) + text[len(body) :]
    return None if changed == text else changed
