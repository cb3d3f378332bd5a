"""Which side of the split a text takes: a function of the text and a salt, and of nothing else."""

import hashlib
import unicodedata
from typing import Literal

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")


def normalise(text: str) -> str:
    """Return the form in which two texts count as the same: NFKC, case-folded, whitespace collapsed.

    The form is that of the Unicode Standard's compatibility caseless match (section 3.13, D146)
    with runs of whitespace made one space.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold())
    return " ".join(unicodedata.normalize("NFKC", folded.casefold()).split())


def digest_of(text: str, salt: str) -> bytes:
    """Return 16 bytes that are equal for texts that count as the same under one salt."""
    salted = f"{salt}\0{normalise(text)}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(salted, digest_size=16).digest()


def side_of_digest(digest: bytes, test: float, validation: float) -> Side:
    """Return the side that a digest of ``digest_of`` takes."""
    share = int.from_bytes(digest[:8], "big") / 2**64
    if share < test:
        return "test"
    return "validation" if share < test + validation else "train"


def side_of(text: str, salt: str, test: float, validation: float) -> Side:
    """Return the side of a text: its salted hash as a number in [0, 1), compared with the shares.

    Rows added later never move a text across, and texts that count as the same share a side.
    ``test`` and ``validation`` are shares in [0, 1).
    """
    return side_of_digest(digest_of(text, salt), test, validation)
