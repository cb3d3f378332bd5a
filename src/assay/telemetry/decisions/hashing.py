"""The keyed hash of subjects, as those who read the log make it."""

import hashlib
from pathlib import Path

from assay.exceptions import LogError

KEY_FILE = "decision.key"
KEY_BYTES = 64
"""BLAKE2b takes no longer key; what is longer counts by its beginning."""


def hash_of(key: bytes, text: str) -> str:
    """Return the keyed hash of a text, 32 hexadecimal digits."""
    return hashlib.blake2b(text.encode(), key=key[:KEY_BYTES], digest_size=16).hexdigest()


def read_key(folder: Path, given: str = "") -> bytes:
    """Return the key of a log's hashes: the one given, else that of its folder.

    Raises LogError where there is none: a new one would find nothing.
    """
    if given:
        return given.encode()[:KEY_BYTES]
    try:
        return (folder / KEY_FILE).read_bytes()[:KEY_BYTES]
    except OSError as error:
        raise LogError(
            f"The key of the decision log's hashes cannot be read, {str(folder / KEY_FILE)!r}: "
            f"{error.strerror or error}. Without it a subject is not found. Name the log's folder in "
            "ASSAY_DECISION_FOLDER, or set ASSAY_DECISION_KEY as the service has it.",
            folder=folder,
        ) from error
