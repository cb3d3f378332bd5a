"""The name of a set of rows: equal for equal rows in any order, different after any change."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence


def _row_digest(text: str, label: str) -> bytes:
    body = text.encode("utf-8", "surrogatepass")
    # The length keeps ("ab", "c") apart from ("a", "bc").
    head = len(body).to_bytes(8, "big")
    return hashlib.sha256(head + body + label.encode("utf-8", "surrogatepass")).digest()


def _digest(parts: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


def fingerprint_of(texts: Sequence[str], labels: Sequence[str]) -> str:
    """Return the SHA-256, in hexadecimal, of rows taken as a multiset of exact texts and labels."""
    return _digest(sorted(_row_digest(text, label) for text, label in zip(texts, labels, strict=True)))


def order_of(
    texts: Sequence[str], labels: Sequence[str], columns: Mapping[str, Sequence[str]] | None = None
) -> list[int]:
    """Return the places of rows sorted by what ``fingerprint_of`` hashes, equal rows by their ``columns``.

    Two readings of rows with one fingerprint are in the same order then: every place has the same text and
    label, and with the same columns the same values of these.
    """
    digests = [_row_digest(text, label) for text, label in zip(texts, labels, strict=True)]
    values = [columns[name] for name in sorted(columns)] if columns else []
    return sorted(range(len(digests)), key=lambda at: (digests[at], [column[at] for column in values]))


def fingerprint_of_sides(sides: Mapping[str, str]) -> str:
    """Return the SHA-256 of a whole dataset, given the fingerprint of each side by its name."""
    return _digest(f"{name}:{sides[name]}\n".encode() for name in sorted(sides))
