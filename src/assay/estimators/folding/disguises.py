"""The steps of folding: each undoes one kind of disguise in one linear pass over the text.

Patterns begin with a class of characters where they can, which ``re`` looks for quickly, and none can
scan the same stretch more than a fixed number of times.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from assay.config import FoldingConfig
from assay.estimators.folding.edits import CaseFolding, Compatibility, Match, Step, Substitution
from assay.estimators.folding.lookalikes import LATIN, LEET, LOOKALIKES, SIGNS

__all__ = ["characters_of", "entities_of", "entity_meaning", "invisible_of", "shortening", "steps_of"]


def _mapped(table: dict[str, str], characters: str) -> Substitution:
    """Return the step that looks single characters, all beyond ASCII, up in a table."""
    pattern = re.compile(f"[{characters}]")
    return Substitution(_beyond_ascii(pattern), pattern, lambda match: table.get(match[0], match[0]))


def _beyond_ascii(pattern: re.Pattern[str]) -> Callable[[str], object]:
    """Return the test whether a pattern that no ASCII text holds is in a text."""
    return lambda text: not text.isascii() and pattern.search(text)


def entity_meaning(what: str) -> str:
    """Return what an entity means, written without its ampersand: ``lt;``, ``#102``."""
    from html import unescape
    from html.entities import html5

    if what[0] != "#":
        return html5.get(what, f"&{what}")
    sign = what[:2] if what[1] in "xX" else "#"
    # Python reads no number of thousands of digits, be all of them zeros.
    return unescape(f"&{sign}0{what[len(sign) :].lstrip('0')}")


def _entities() -> tuple[Step, ...]:
    """``&lt;`` and ``&#102;``, escaped once or more often; a name needs its semicolon, a number does not."""
    pattern = re.compile(
        r"&(?:amp;|#38;|#[xX]26;)*"
        r"(#0*[0-9]{1,7}(?![0-9]);?|#[xX]0*[0-9a-fA-F]{1,6}(?![0-9a-fA-F]);?|[A-Za-z][A-Za-z0-9]{1,31};)"
    )
    return (Substitution(lambda text: "&" in text, pattern, lambda match: entity_meaning(match[1])),)


def _invisible() -> tuple[Step, ...]:
    """Controls and Unicode's default ignorable characters go; other line ends become line feeds."""
    ends = re.compile("[\x0b\x0c\r\x85\u2028\u2029]")
    dropped = re.compile(
        "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
        "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
        "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
    )

    def needed(text: str) -> bool:
        return not (text.isascii() and text.isprintable())

    return Substitution(needed, ends, "\n"), Substitution(needed, dropped, "")


def _signs() -> tuple[Step, ...]:
    # A range for those beyond the basic plane, which re would try one by one.
    basic = "".join(sign for sign in SIGNS if sign <= "\uffff")
    return (_mapped(SIGNS, basic + "\U0001f110-\U0001f189"),)


def _homoglyphs() -> tuple[Step, ...]:
    """Latin letters lose accents and strokes; look-alikes become Latin where their word or phrase says so.

    A run of look-alikes that touches a Latin letter is Latin. Elsewhere the stretch between two Latin
    letters decides: one letter in it that looks like no Latin letter shows genuine text. So does a text
    in which such letters are more than a third of the Latin ones.
    """
    likes = "".join(LOOKALIKES)
    marks = (
        "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
        "\u0591-\u05bd\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u3099\u309a"
    )
    table = str.maketrans(LOOKALIKES)
    like, foreign = re.compile(f"[{likes}]"), re.compile(rf"[^\W\d_A-Za-z{likes}]")
    # With what leetspeak makes letters of, so that folding again counts the same.
    plain = re.compile(rf"[A-Za-z!{re.escape(''.join(LEET))}]")
    marked = Substitution(
        _beyond_ascii(re.compile(r"[^\w\x00-\x7f](?<=[\x00-\x7f].)")),
        re.compile(r"[\x00-\x7f][^\w\x00-\x7f]+"),
        lambda run: "".join(sign for sign in run[0] if unicodedata.category(sign)[0] != "M"),
    )

    def of_its_word(run: Match) -> str:
        around = run.string[max(run.start() - 1, 0) : run.start()] + run.string[run.end() : run.end() + 1]
        latin = any(letter.isascii() and letter.isalpha() for letter in around)
        return run[0].translate(table) if latin and not foreign.search(around) else run[0]

    def of_its_phrase(stretch: Match) -> str:
        return stretch[0] if foreign.search(stretch[0]) else stretch[0].translate(table)

    def mostly_latin(text: str) -> bool:
        if text.isascii() or not like.search(text):
            return False
        return 3 * len(foreign.findall(text)) <= len(plain.findall(text))

    touching = _beyond_ascii(re.compile(f"[{likes}](?:(?<=[A-Za-z].)|[{marks}]*[A-Za-z])"))
    return (
        _mapped(LATIN, "".join(LATIN)),
        marked,
        Substitution(touching, re.compile(f"[{likes}][{likes}{marks}]*"), of_its_word),
        Substitution(mostly_latin, re.compile(r"[^\W\d_A-Za-z][^A-Za-z]*"), of_its_phrase),
        marked,
    )


def _spacing() -> tuple[Step, ...]:
    """Three or more single letters with one and the same separator between them are a word.

    Signs separate with a blank on either side or none, and a digit or sign may stand for a letter
    inside; blanks separate letters only. Letters of other scripts must be four, and two must differ.
    """
    letter = "a-z\u00df-\u00f6\u00f8-\u024f\u03ac-\u0481\u048b-\u052f"
    inside = letter + re.escape("".join(LEET))
    signs = r"[ \t]?[._\-*/\\|~·•]{1,2}[ \t]?|[,:+=]"
    before, after = r"(?<![^\W_])(?<!\w['’])", r"(?![^\W_])(?!['’]\w)"

    def joined(match: Match) -> str:
        word = match[0].replace(match[1], "")
        letters = [character for character in word if character.isalpha()]
        spelled = len(set(word)) > 1 and len(letters) >= (3 if word.isascii() else 4)
        return word if spelled else match[0]

    return (
        Substitution(
            re.compile(rf"[._\-*/\\|~·•,:+=][ \t]?[{inside}][ \t]?[._\-*/\\|~·•,:+=]").search,
            re.compile(rf"{before}[{letter}]({signs})(?:[{inside}]\1)+[{letter}]{after}"),
            joined,
        ),
        Substitution(
            re.compile(rf"[ \t][{letter}][ \t]{{1,3}}[{letter}](?![^\W_])").search,
            re.compile(rf"{before}[{letter}]([ \t]{{1,3}})(?:[{letter}]\1)+[{letter}]{after}"),
            joined,
        ),
    )


def _leetspeak() -> tuple[Step, ...]:
    """Digits and signs between the letters of a word, when all of them can be read, and one last digit.

    A run between letters can be read when it has at most three signs and no two different digits. 1 is i,
    but l beside i, beside another 1 and at the end. ``!`` is i after nothing but one to three consonants.
    """
    signs = re.escape("".join(LEET))
    inner = re.compile(rf"[0-9{signs}](?<=[a-z].)[0-9{signs}]*(?=[a-z])")
    word = re.compile(rf"[a-z0-9{signs}]+")
    address = re.compile(r"@[a-z0-9-]+\.[a-z]")
    readable = re.compile(
        rf"(?=.{{1,3}}\Z)(?:(?![0-9])[{signs}])*(?:([013457])\1*(?:(?![0-9])[{signs}])*)?\Z"
    )
    within = re.compile(rf"(?<=[a-z])[{signs}]+(?=[a-z])")
    spoken = re.compile(rf"{within.pattern}|(?<=[a-z])[013457]\Z")
    table = str.maketrans(LEET)

    def letters(run: Match) -> str:
        beside = run.string[run.start() - 1] + run.string[run.end() : run.end() + 1]
        tall = "1" in run[0] and ("11" in run[0] or "i" in beside or len(beside) == 1)
        return (run[0].replace("1", "l") if tall else run[0]).translate(table)

    def plain(match: Match) -> str:
        runs = inner.findall(match[0])
        if not runs or not all(map(readable.match, runs)):
            return match[0]
        if "@" in match[0] and address.match(match.string, match.start() + match[0].rindex("@")):
            return match[0]
        ends = not match.string[match.end() : match.end() + 1].isalnum()
        return (spoken if ends else within).sub(letters, match[0])

    consonant = "[b-df-hj-np-tv-xz]"
    starts = "|".join(rf"(?<=(?<![\w'’]){consonant}{{{count}}}.)" for count in (1, 2, 3))
    return (
        Substitution(inner.search, word, plain),
        Substitution(lambda text: "!" in text, re.compile(rf"!(?:{starts})(?=[a-z])"), "i"),
    )


@cache
def shortening() -> tuple[Substitution, Substitution]:
    """Return the steps that make two and one of every run of three or more of a letter."""
    run = re.compile(r"([^\W\d_])\1\1+")
    plain = re.compile(r"([a-z])\1\1").search

    def needed(text: str) -> object:
        return plain(text) if text.isascii() else run.search(text)

    return Substitution(needed, run, lambda match: match[1] * 2), Substitution(
        needed, run, lambda match: match[1]
    )


@cache
def steps_of(config: FoldingConfig) -> tuple[Step, ...]:
    """Return the steps that a configuration asks for, in their order, all but elongation."""
    return (
        *entities_of(config),
        *invisible_of(config),
        *characters_of(config),
        *(_spacing() if config.spacing else ()),
        *(_leetspeak() if config.leetspeak else ()),
    )


def entities_of(config: FoldingConfig) -> tuple[Step, ...]:
    """Return the steps that undo escapes."""
    return _entities() if config.entities else ()


def invisible_of(config: FoldingConfig) -> tuple[Step, ...]:
    """Return the steps that drop or change a character whatever stands beside it."""
    return _invisible() if config.invisible else ()


def characters_of(config: FoldingConfig) -> tuple[Step, ...]:
    """Return the steps that change characters, few of them with regard to those beside them."""
    signs = _signs() if config.homoglyphs else ()
    nfkc = (Compatibility(),) if config.compatibility else ()
    return (
        # Before NFKC, which takes an acute accent for a blank with a mark, and after, for what it makes.
        *signs,
        *((*nfkc, *signs) if nfkc else ()),
        *(_homoglyphs() if config.homoglyphs else ()),
        # Case folding takes some letters apart; NFKC puts them together.
        CaseFolding(),
        *nfkc,
    )
