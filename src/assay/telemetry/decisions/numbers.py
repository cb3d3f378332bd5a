"""Phone numbers and card numbers among the digits of a text."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

PHONE, CARD = "[phone]", "[card]"

LONGEST_RUN = 400
"""Characters of digits and separators from which on all of it is taken for phone numbers."""

SEPARATORS = r" \x{a0}.\-/()\x{2010}\x{2011}\x{2013}"
NUMBERS = rf"[+(]{{0,3}}\p{{Nd}}(?:[{SEPARATORS}]{{0,3}}\p{{Nd}}){{5,}}"
"""What may hold such numbers: six digits and more, with up to three separators between two."""

_GROUP = re.compile(r"\d+")
_DATE = re.compile(
    r"(?<!\d)(?<!\d[-/.])"
    r"(?:(?:19|20)\d\d([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2}))"
    r"(?![-/.]?\d)"
)
_ASKED = re.compile(
    r"(?i)\b(?:tel|phone|telephone|call|mobile|mob|fax|text|txt|ring|whatsapp|sms|dial)\b"
    r"[^\w\n]{1,3}(?:\w{1,4}[^\w\n]{1,2}){0,2}$"
)
_JOINS = ".-/\u2010\u2011\u2013"
_DOUBLED = str.maketrans("0123456789", "0246813579")

BEFORE_CHARACTERS = 24
"""How far before a number a word may stand that asks to call it."""

CARD_DIGITS = range(13, 20)
PLAIN_DIGITS = range(9, 13)
"""Digits of a national number that begins with 0."""
FOREIGN_DIGITS = range(7, 16)
"""Digits of an international number (E.164), after + or 00."""
ASKED_DIGITS = range(6, 14)
"""Digits of a number that follows a word like call."""
LONGEST_PHONE = 17
TEN_DIGITS = ((10,), (5, 5), (3, 7), (3, 3, 4), (11,), (1, 10), (1, 3, 7), (1, 3, 3, 4))
"""Groups of a number of North America or India; with 1 before it or not it begins with 2 to 9."""


class Group(NamedTuple):
    """Digits that stand together, and what stands between them and those before."""

    start: int
    end: int
    digits: str
    lead: str

    @property
    def opens(self) -> bool:
        """Whether a number may begin here: dots, dashes and slashes alone keep digits together."""
        return not self.lead or bool(self.lead.strip(_JOINS))


def redact_numbers(run: str, before: str = "") -> str:
    """Return a run of digits and separators with its phone and card numbers replaced.

    ``before`` is what stands before it in the text: some numbers are known by the word ``call`` alone.

    >>> redact_numbers("07700 900123"), redact_numbers("4111 1111 1111 1111")
    ('[phone]', '[card]')
    >>> redact_numbers("2024-11-05"), redact_numbers("1999 2000 2001")
    ('2024-11-05', '1999 2000 2001')
    """
    if len(run) > LONGEST_RUN:
        return PHONE
    plain = run if run.isascii() else "".join(str(int(each)) if each.isdecimal() else each for each in run)
    pieces, done = [], 0
    for start, end in _parts(plain):
        groups, at = _groups(plain, start, end), 0
        asked = start == 0 and _ASKED.search(before) is not None
        while at < len(groups):
            kind, after = _number_at(groups, at, asked and at == 0)
            if kind:
                pieces += [run[done : _with_lead(groups[at])], kind]
                done = groups[after - 1].end
            at = after
    return "".join(pieces) + run[done:]


def luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of those before it (ISO/IEC 7812-1).

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = digits[-2::-2].translate(_DOUBLED)
    return (sum(map(int, digits[-1::-2])) + sum(map(int, doubled))) % 10 == 0


def _parts(run: str) -> Iterator[tuple[int, int]]:
    """Yield the spans between the dates in a run."""
    start = 0
    for date in _DATE.finditer(run):
        yield start, date.start()
        start = date.end()
    yield start, len(run)


def _groups(run: str, start: int, end: int) -> list[Group]:
    groups, before = [], start
    for found in _GROUP.finditer(run, start, end):
        groups.append(Group(found.start(), found.end(), found[0], run[before : found.start()]))
        before = found.end()
    return groups


def _with_lead(group: Group) -> int:
    """Return where a number begins with the plus and the bracket before its first digit."""
    lead = group.lead
    return group.start - (len(lead) - len(lead.rstrip("+(")))


def _number_at(groups: Sequence[Group], at: int, asked: bool) -> tuple[str, int]:
    """Return what kind of number begins with a group, empty for none, and the group after it."""
    if groups[at].opens:
        international = "+" in groups[at].lead
        # No card begins with 0, and many phone numbers do.
        may_be_card = not international and not groups[at].digits.startswith("0")
        if may_be_card and (after := _card_at(groups, at)):
            return CARD, after
        if after := _phone_at(groups, at, international, asked):
            return PHONE, after
    return "", at + 1


def _closes(groups: Sequence[Group], after: int) -> bool:
    return after == len(groups) or groups[after].opens


def _card_at(groups: Sequence[Group], at: int) -> int:
    digits = ""
    for after, group in enumerate(groups[at : at + 7], at + 1):
        if after > at + 1 and len(group.lead) > 1:
            break
        digits += group.digits
        if len(digits) in CARD_DIGITS and _closes(groups, after) and luhn(digits):
            return after
        if len(digits) >= CARD_DIGITS.stop or len(group.digits) < 3:
            break
    return 0


def _phone_at(groups: Sequence[Group], at: int, international: bool, asked: bool) -> int:
    digits, lengths, found = "", [], 0
    decimal = groups[at].digits == "0" and at + 1 < len(groups) and groups[at + 1].lead == "."
    if decimal and not international:
        return 0
    for after, group in enumerate(groups[at:], at + 1):
        digits += group.digits
        lengths.append(len(group.digits))
        if len(digits) > LONGEST_PHONE:
            break
        if _closes(groups, after):
            told = (international and len(digits) in FOREIGN_DIGITS) or (
                asked and len(digits) in ASKED_DIGITS
            )
            if told or _is_phone(digits, tuple(lengths)):
                found = after
    return found


def _is_phone(digits: str, lengths: tuple[int, ...]) -> bool:
    if digits.startswith("00"):
        return len(digits) - 2 in FOREIGN_DIGITS
    if digits.startswith("0"):
        return len(digits) in PLAIN_DIGITS
    return lengths in TEN_DIGITS and digits[:-10] in ("", "1") and digits[-10] > "1"
