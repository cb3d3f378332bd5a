"""Which characters stand for which letters: the tables behind folding.

The tables are our own; Unicode's confusables (UTS #39) gave the idea. A table maps a character to what
it becomes, and holds every letter in both cases, so that folding a folded text changes nothing.
"""

import unicodedata

__all__ = ["LATIN", "LEET", "LOOKALIKES", "SIGNS"]


def _pairs(words: str) -> dict[str, str]:
    """Return the table that words such as ``сc`` write: a character, then what it becomes."""
    return {word[0]: word[1:] for word in words.split()}


def _both_cases(table: dict[str, str]) -> dict[str, str]:
    """Return the table with each letter in both cases, what it says itself first."""
    cases = {other: to for one, to in table.items() for other in (one.upper(), one.lower())}
    return {one: to for one, to in cases.items() if len(one) == 1 and not one.isascii()} | table


def _variants(table: dict[str, str], *ranges: range) -> dict[str, str]:
    """Return the letters of some ranges that are one of the table or of ASCII but for accents or case."""
    found = {}
    for letter in (chr(number) for numbers in ranges for number in numbers):
        parts = unicodedata.normalize("NFD", letter)
        base = parts[0] if parts[0] in table else parts[0].casefold()
        if base in table or (base.isascii() and base.isalpha()):
            found[letter] = table.get(base, base)
    return found


def _alphabet(first: int, letters: str = "abcdefghijklmnopqrstuvwxyz") -> dict[str, str]:
    """Return the table of a block that draws the alphabet in order."""
    return {chr(first + number): letter for number, letter in enumerate(letters)}


SIGNS = (
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2035\u00b4\u02b9\u02bb\u02bc\u02bd\u02c8\uff07", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u2036\uff02", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d", "-")
    | {"\u2044": "/", "\u2215": "/", "\u2800": " "}
    # Case folding takes these two apart, into an apostrophe with n and a Greek letter.
    | {"\u0149": "'n", "\u0345": "\u03b9"}
    # Bracketed, and white on black round or square; NFKC writes the first with their brackets.
    | _alphabet(0x249C)
    | _alphabet(0x1F110)
    | _alphabet(0x1F150)
    | _alphabet(0x1F170)
)
"""Typographic quotes, dashes and slashes, the blank Braille cell and letters in a frame."""

_STROKES = _pairs(
    "ɑa ᴀa ɓb ƀb ƃb ƅb ʙb ƈc ȼc ᴄc đd ðd ɖd ɗd ᴅd əe ɛe ɘe ǝe ɇe ᴇe ƒf ꜰf ɡg ɠg ɢg ħh ɦh ʜh ıi ɨi ɩi ɪi"
    " ɉj ᴊj ƙk ᴋk łl ɫl ƚl ʟl ɱm ᴍm ŋn ɲn ɳn ɴn øo ɵo ɔo ᴏo ƥp ᴘp ꞯq ɍr ɽr ɾr ʀr ʂs ꜱs ŧt ƭt ʈt ᴛt ʉu ʊu ᴜu"
    " ʋv ᴠv ɯw ᴡw ƴy ɏy ʏy ƶz ʐz ᴢz æae œoe"
)
_LETTERS = _both_cases(_STROKES)
LATIN = (
    _variants(
        _LETTERS, range(0x00C0, 0x0250), range(0x1E00, 0x1F00), range(0x212A, 0x212C), range(0xFB00, 0xFB07)
    )
    | _LETTERS
)
"""Latin letters with accents or strokes, ligatures, small capitals, letters of the phonetic alphabet."""

_OTHERS = _both_cases(
    # Cyrillic
    _pairs("аa вb еe гr кk мm нh оo рp сc тt уy хx ьb іi јj ѕs ԁd ԛq ԝw һh ӏl ѵv үy ғf ԍg ҽe ѡw")
    # Greek; some capitals look like another letter than the small ones do.
    | _pairs("αa βb γy εe ζz ηn ιi κk μu νv οo ρp τt υu χx ωw")
    | _pairs("Γr Ηh Μm Νn Υy")
    # Armenian, Coptic
    | _pairs("օo սu հh ոn յj զq ցg ⲁa ⲃb ⲉe ⲏh ⲓi ⲕk ⲙm ⲛn ⲟo ⲣp ⲥc ⲧt ⲩy ⲭx")
    # Cherokee, Lisu
    | _pairs("Ꭰd Ꭱr Ꭲt Ꭵi Ꭹy Ꭺa Ꭻj Ꭼe Ꮃw Ꮇm Ꮋh Ꮍy Ꮐg Ꮓz Ꮩv Ꮪs Ꮮl Ꮯc Ꮲp Ꮶk Ᏼb")
    | _pairs("ꓐb ꓑp ꓓd ꓔt ꓖg ꓗk ꓙj ꓚc ꓜz ꓝf ꓟm ꓠn ꓡl ꓢs ꓣr ꓦv ꓧh ꓪw ꓫx ꓬy ꓮa ꓰe ꓲi ꓳo ꓴu")
)
LOOKALIKES = (
    _variants(_OTHERS, range(0xB5, 0xB6), range(0x370, 0x530), range(0x1C80, 0x1C90), range(0x1F00, 0x2127))
    | _OTHERS
)
"""Letters of other scripts that look like Latin letters; whether one is meant so depends on its word."""

LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t"} | _pairs("@a $s €e £l ¢c ¥y ¡i §s ×x")
"""Digits and signs that stand for letters. 2, 6, 8 and 9 more often mean to, be or -ate."""
