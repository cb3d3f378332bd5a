"""Which texts can be scored."""

from collections.abc import Sequence

from assay.config import MAX_TEXT_BYTES
from assay.exceptions import TextError


def fault_of(text: object) -> str | None:
    """Return why a text cannot be scored, or None: it must be text, not blank, valid, not too long."""
    if not isinstance(text, str):
        return f"is of type {type(text).__name__}, not text"
    if not text.strip():
        return "is empty"
    size = len(text)
    if not text.isascii():
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            return f"has a lone surrogate at character {error.start}, which is not valid Unicode"
    if size > MAX_TEXT_BYTES:
        return f"has {size:,} bytes of UTF-8; at most {MAX_TEXT_BYTES:,} are allowed"
    return None


def check_texts(texts: Sequence[str]) -> None:
    """Raise TextError for the first text that cannot be scored; ``error.data["index"]`` is its place."""
    if isinstance(texts, str):
        raise TextError("One text was given where a list of texts belongs; wrap it: decide([text]).", index=0)
    for index, text in enumerate(texts):
        fault = fault_of(text)
        if fault:
            raise TextError(f"Text {index} {fault}.", index=index, fault=fault)
