"""Texts that nearly repeat another: the same letters and digits but for a few.

Resemblance is that of Broder (1997), On the resemblance and containment of documents, section 2: the share
of shingles, runs of eight bytes of a text's form, that two texts have in common. Pairs that may resemble each
other are found by the same author's sketches of minima, looked up band by band (Leskovec, Rajaraman and
Ullman, Mining of Massive Datasets, section 3.4), and then compared shingle by shingle.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.datasets.splitting import normalise

RESEMBLANCE = 0.5
"""From this share of common shingles on one text nearly repeats the other.

Chosen by looking: in the SMS Spam Collection, nearly all pairs above it are one template with another
number, prize or name in it, or one message typed twice; below it begin short messages that only share
a phrase.
"""
SHINGLE = 8
"""Bytes of UTF-8."""
BANDS, BAND = 24, 3
"""Minima of a sketch are looked up in 24 bands of 3: of the pairs that share half of their shingles 96 % are
found, of those that share 0.6 99.7 %."""
SLACK = 0.2
"""How far below RESEMBLANCE a sketch's estimate may lie, more than three of its standard deviations."""
LOOKED_UP = 50
"""Texts that are looked at for one text in one band, at most: what bounds the time where all texts share a
long passage."""
CHUNK = 1 << 18
"""Bytes of text that are sketched at once: what fits into the processor's cache."""
AT_ONCE = 1000
"""Texts whose sketches are compared at once."""

Words = NDArray[np.uint64]
Sketches = NDArray[np.uint32]
Places = NDArray[np.int64]
ASCII_SIGNS = bytes(byte if chr(byte).isalnum() else 32 for byte in range(128)) + bytes(range(128, 256))
"""What a byte of ASCII becomes: a letter or digit stays, anything else is a blank."""
_signs = re.compile(r"[\W_]+")


def near_duplicates(texts: Sequence[str], among: Sequence[str]) -> NDArray[np.bool_]:
    """Return which of the texts nearly repeat one of ``among``, shape (texts,).

    Case, punctuation and blanks do not count, in texts of nothing else they do. A text that is called near
    shares at least half of its shingles with another's; a few that just do so are not found. Time grows with
    the length of all texts together: the 50,000 reviews of IMDB take seconds.

    >>> texts = ["You have won a prize, call 4711 now!", "lunch?"]
    >>> near_duplicates(texts, ["you have won a prize: call 0815 now"])
    array([ True, False])
    """
    near = np.zeros(len(texts), np.bool_)
    if len(texts) and len(among):
        forms, others = [*map(_form, texts)], [*map(_form, among)]
        for one, other in _likely(_sketches(forms), _sketches(others)):
            near[one] = _resemblance(forms[one], others[other]) >= RESEMBLANCE
    return near


def near_repeats(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Return which of the texts nearly repeat one before them that does not itself, shape (texts,).

    As in ``near_duplicates`` a few that just do so are not found.

    >>> texts = ["You have won a prize, call 4711 now!", "lunch?", "you have won a prize: call 0815 now"]
    >>> near_repeats(texts)
    array([False, False,  True])
    """
    repeats = np.zeros(len(texts), np.bool_)
    forms = [*map(_form, texts)]
    for one, other in _likely_before(_sketches(forms)) if forms else ():
        if not repeats[other] and not repeats[one]:
            repeats[one] = _resemblance(forms[one], forms[other]) >= RESEMBLANCE
    return repeats


def _likely_before(sketches: Sketches) -> list[tuple[int, int]]:
    """Return texts that may resemble one before them, with that one, in the order of the texts."""
    pairs: set[tuple[int, int]] = set()
    least = (RESEMBLANCE - SLACK) * BANDS * BAND
    for start in range(0, BANDS * BAND, BAND):
        keys = _keys(sketches[:, start : start + BAND])
        order = np.argsort(keys, kind="stable")
        same = keys[order[1:]] == keys[order[:-1]]
        # Of those that met, the text just before, and the first of all: of a template that one stays.
        begins = np.maximum.accumulate(np.where(np.concatenate(([False], same)), 0, np.arange(len(order))))
        for earlier in (order[:-1][same], order[begins[1:]][same]):
            later = order[1:][same]
            agreed = (sketches[later] == sketches[earlier]).sum(axis=1) >= least
            pairs.update(zip(later[agreed].tolist(), earlier[agreed].tolist(), strict=True))
    return sorted(pairs)


def _form(text: str) -> bytes:
    """Return what is compared of a text: its letters and digits, or all of it where it has none."""
    plain = normalise(text)
    whole = plain.encode("utf-8", "surrogatepass")
    # Most texts are ASCII, and for these a table is ten times as fast.
    body = whole.translate(ASCII_SIGNS) if plain.isascii() else _signs.sub(" ", plain).encode()
    return (b" ".join(body.split()) or whole).ljust(SHINGLE, b"\0")


def _resemblance(one: bytes, other: bytes) -> float:
    first, second = (
        {form[at : at + SHINGLE] for at in range(len(form) - SHINGLE + 1)} for form in (one, other)
    )
    common = len(first & second)
    return common / (len(first) + len(second) - common)


def _mix(words: Words) -> Words:
    """Return numbers that look random, one for each (the finaliser of SplitMix64, Steele et al. 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Words = words ^ (words >> np.uint64(31))
    return mixed


def _sketches(forms: Sequence[bytes]) -> Sketches:
    """Return for each form the minima of its shingles under some random orders, shape (forms, orders)."""
    orders = _mix(np.arange(1, 2 * BANDS * BAND + 1, dtype=np.uint64)).astype(np.uint32).reshape(-1, 2)
    sketches = np.empty((len(forms), len(orders)), np.uint32)
    for chunk in _chunks(forms):
        shingles, bounds = _shingles(forms[chunk])
        for number, (mask, factor) in enumerate(orders):
            ranks = (shingles ^ mask) * (factor | np.uint32(1))
            sketches[chunk, number] = np.minimum.reduceat(ranks, bounds)[::2]
    return sketches


def _chunks(forms: Sequence[bytes]) -> Iterator[slice]:
    """Yield the parts that forms are sketched in, each of CHUNK bytes or a single form."""
    begun = size = 0
    for at, form in enumerate(forms):
        if at > begun and size + len(form) > CHUNK:
            yield slice(begun, at)
            begun, size = at, 0
        size += len(form)
    yield slice(begun, len(forms))


def _shingles(forms: Sequence[bytes]) -> tuple[Sketches, Places]:
    """Return 32 bits for each shingle of joined forms, and where each form's begin and end, in turn."""
    joined = b"".join(forms) + bytes(SHINGLE)
    # Each place of the bytes read as one number of eight bytes: a view, no copy.
    windows = np.ndarray((len(joined) - SHINGLE + 1,), "<u8", joined, strides=(1,))
    ends = np.cumsum([len(form) for form in forms])
    begins = np.concatenate(([0], ends[:-1]))
    bounds = np.column_stack((begins, ends - SHINGLE + 1)).ravel()
    return (_mix(windows.astype(np.uint64)) >> np.uint64(32)).astype(np.uint32), bounds


def _likely(sketches: Sketches, others: Sketches) -> Iterator[tuple[int, int]]:
    """Yield each text that may resemble one of the others, with the one that it seems to resemble most."""
    best, whose = np.zeros((2, len(sketches)), np.int64)
    for start in range(0, BANDS * BAND, BAND):
        band = slice(start, start + BAND)
        for ones, counts, met in _meetings(_keys(sketches[:, band]), _keys(others[:, band])):
            agreed = (sketches[np.repeat(ones, counts)] == others[met]).sum(axis=1)
            # The most of each text and where it stands, in one number.
            most = np.maximum.reduceat(agreed * len(met) + np.arange(len(met)), np.cumsum(counts) - counts)
            agreement, place = np.divmod(most, len(met))
            better = agreement > best[ones]
            best[ones[better]], whose[ones[better]] = agreement[better], met[place[better]]
    for one in np.flatnonzero(best >= (RESEMBLANCE - SLACK) * BANDS * BAND).tolist():
        yield one, int(whose[one])


def _keys(band: Sketches) -> Words:
    key = np.zeros(len(band), np.uint64)
    for column in band.T:
        key = _mix(key ^ column.astype(np.uint64))
    return key


def _meetings(keys: Words, others: Words) -> Iterator[tuple[Places, Places, Places]]:
    """Yield where keys meet equal ones among the others, some at a time.

    Yields places of keys, how many others each of them meets, LOOKED_UP at most, and the places of all these
    one after the other.
    """
    order = np.argsort(others, kind="stable")
    ranked = others[order]
    first = np.searchsorted(ranked, keys)
    counts = np.minimum(np.searchsorted(ranked, keys, side="right") - first, LOOKED_UP)
    meeting = np.flatnonzero(counts)
    for start in range(0, len(meeting), AT_ONCE):
        ones = meeting[start : start + AT_ONCE]
        each = counts[ones]
        before = np.cumsum(each) - each
        inside = np.arange(each.sum()) - np.repeat(before, each)
        yield ones, each, order[np.repeat(first[ones], each) + inside]
