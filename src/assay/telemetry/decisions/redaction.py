"""Texts without e-mail addresses, phone and card numbers and links."""

import re
from functools import cache

import re2

from assay.telemetry.decisions.numbers import BEFORE_CHARACTERS, NUMBERS, PHONE, redact_numbers

EMAIL, LINK = "[email]", "[link]"

PATTERN_MEMORY = 16 << 20

MOST_NUMBERS = 250
"""Numbers of one text that are looked at; all after them are taken for phone numbers."""

_LETTER = r"\p{L}\p{M}\p{Nd}"
_LOCAL = rf"[{_LETTER}.!#$%&'*+/=?^_`{{|}}~-]+"
_HOST = rf"[{_LETTER}_-]+(?:\.[{_LETTER}_-]+)+"
_IN_LINK = rf"[{_LETTER}!#-;=?-Z\\\]_a-z~\[]"

ENDINGS = (
    "com net org info biz edu gov mil int name pro xyz online site website shop store club top live click "
    "link app dev cloud tech space vip win bid loan work icu buzz mobi io ai tv cc ly gl gg uk de fr nl "
    "ua by kz cn jp kr tw hk br mx ar ca au nz za ng ke ie ch dk cz sk hu ro bg gr tr il ae eu su ws co "
    "es pl ru pt fi se pk id ph vn th sg my"
).split()
"""Ends of host names that make a link of a bare ``name.ending``."""

WORDLIKE = "it in me is at be no us to so am as my la li fm st sh do pw gd im be page one bet fun run".split()
"""Ends that are words, or common ends of file names: only with a path after them, like ``t.me/name``."""


def _either(endings: list[str]) -> str:
    # As they are written: "the end.It was" is no link, and "EXAMPLE.COM" is one.
    return "|".join(
        sorted({form for each in endings for form in (each, each.upper())}, key=len, reverse=True)
    )


_NAMED = rf"(?:[{_LETTER}](?:[{_LETTER}_-]*[{_LETTER}])?\.)+"
# Without groups of its own: RE2 finds what has none several times as fast.
_PATTERN = "|".join(
    (
        rf"(?:(?i:[a-z][a-z0-9+.-]{{1,19}}://|www\d?\.){_IN_LINK}+)",
        rf"(?:{_LOCAL}@{_HOST})",
        rf"(?:{_NAMED}(?:{_either(ENDINGS + WORDLIKE)})(?::\d{{1,5}})?[/?]{_IN_LINK}+)",
        rf"(?:{_NAMED}(?:{_either(ENDINGS)})(?::\d{{1,5}})?/?)\b",
        rf"(?:{NUMBERS})",
    )
)
_DOT = re.compile(rf"\.(?:(?<=[wW]{{3}}\.)|(?<=[wW]{{3}}[0-9]\.)|(?:{_either(ENDINGS + WORDLIKE)}))")
"""What every link has in it that has no ``://``; with a single sign first, which Python finds quickly."""
_DIGITS = b"0123456789"
_LEADS = b"\xd9\xdb\xdf\xe0\xe1\xea\xef\xf0"
"""The first bytes in UTF-8 of all digits but these, in any script."""
_OTHERS = bytes({*range(256)} - {*_DIGITS, *_LEADS})
_FEWEST_DIGITS = 6
_WWW = re.compile(rb"(?i)www\d?\.")
_NUMBER = re.compile(r"[+(]*\d[^A-Za-z@]*")
_TRAILING = b".,;:!?)]}'\"*_~"


def redact(text: str) -> str:
    """Return a text with its e-mail addresses, phone and card numbers and links replaced by their kinds.

    In time linear in the text (RE2), whatever it is.

    >>> redact("Mail ann@example.org or call +44 20 7946 0958, see www.example.org/offer. It was 1999.")
    'Mail [email] or call [phone], see [link]. It was 1999.'
    """
    # As bytes: the package finds places in a str by counting characters.
    data = text.encode()
    if not may_hold(text, data):
        return text
    pieces, done, numbers = [], 0, 0
    for found in _compiled().finditer(data):
        start, end = found.span()
        pieces.append(data[done:start])
        kind = _kind(data[start:end])
        numbers += kind == PHONE
        pieces.append(_replaced(kind, data, start, end, numbers > MOST_NUMBERS))
        done = end
    if not pieces:
        return text
    return b"".join([*pieces, data[done:]]).decode()


def may_hold(text: str, data: bytes) -> bool:
    """Return False where there is surely nothing to replace; quick, and most texts have nothing.

    ``data`` is the text in UTF-8.
    """
    return (
        "@" in text
        or "://" in text
        or len(data.translate(None, _OTHERS)) >= _FEWEST_DIGITS
        or _DOT.search(text) is not None
    )


def _kind(found: bytes) -> str:
    name, at, _ = found.partition(b"@")
    if at and b"/" not in name and not _WWW.match(found):
        return EMAIL
    return PHONE if _NUMBER.fullmatch(found.decode()) else LINK


def _replaced(kind: str, data: bytes, start: int, end: int, many: bool) -> bytes:
    found = data[start:end]
    if kind == LINK:
        kept = found.rstrip(_TRAILING)
        return LINK.encode() + found[len(kept) :]
    if kind == EMAIL or many:
        return kind.encode()
    before = data[max(0, start - BEFORE_CHARACTERS) : start].decode(errors="ignore")
    return redact_numbers(found.decode(), before).encode()


@cache
def _compiled() -> "re2._Regexp":
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    return re2.compile(_PATTERN, options)
