"""The compiled folding gives the view that the steps in Python give, of any text under any configuration."""

import sys
import unicodedata
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.config import FoldingConfig
from assay.estimators import kernel
from assay.estimators.folding.compiled import compiled_fold
from assay.estimators.folding.folding import fold_by_steps
from assay.estimators.folding.lookalikes import LEET, LOOKALIKES

if kernel.compiled("folding") is None:
    pytest.skip("the kernel was not built: there was no C compiler", allow_module_level=True)

from assay.estimators.kernel.folding import Folder

ALL = FoldingConfig()
SWITCHES = list(FoldingConfig.model_fields)
CONFIGS = st.just(ALL) | st.builds(FoldingConfig, **{switch: st.booleans() for switch in SWITCHES})


@cache
def compiled(config: FoldingConfig) -> Callable[[str], str]:
    """Return the compiled form under a configuration."""
    fold = compiled_fold(config)
    assert fold is not None
    return fold


# What sets a step off, by the step; a text mixes few of them, so that they meet.
TRIGGERS = [
    "abcilst",
    "aaabbb",
    "ABCXYZ",
    "bdkrw aeiouy",
    "0123456789",
    "@$€£¢¥¡§×",
    "._-*/\\|~·•,:+=",
    " \t\n\r\x0b\x00\x1f",
    "&#;xX138",
    "!!'’\"",
    "éøßſﬁİıŉǰΐ",
    "оаесрхіԁɑ",
    "ижбцшфжлд",
    "\u0301\u0308\u0336\u0323\u0345\u0e35\u3099\ufe0f\u200d\u200b\xad\u0903",
    "\U0001f469\U0001f4bb\U0001f175\U0001d4ef日本한각\u1100\u1161\u11a8",
    "＆＃；ａ１！．－",
    "\ud800\udfff\u2028\x85\ufdfa½²①",
]
PIECES = st.sampled_from(
    "&amp; &lt; &#38; &#x26; &#X26; &amp;amp; &#102; &#x66 &eacute; &shy; &nosuch; &semi; &#0; &#x80; "
    "&#xd800; &#1114112; &#99999999; &#0000000000102; &NotEqualTilde; &lt &#x0000000066; &#12345678; "
    "w-i-n f.r.e.e f_._r_._e a.1.b.c a.1.1.1 v1agra k111s d@y.com d@y d@-. sch!ff b!b!c!d !a 'b!a freeee "
    "&#x1234567; 1a1a a1a2a a1$1a и\u0441и p.a.y a. .b".split(" ")
)
TEXTS = st.one_of(
    st.text(st.characters()),
    st.lists(st.sampled_from(TRIGGERS), min_size=1, max_size=4).flatmap(
        lambda parts: st.text(st.sampled_from("".join(parts)), max_size=30)
    ),
    st.lists(PIECES | st.sampled_from(list("abc 1$@!&#;-'")), max_size=12).map("".join),
    st.lists(st.sampled_from("abcс1é"), min_size=2, max_size=6).flatmap(
        lambda letters: st.sampled_from([" ", "  ", "-", " - ", ". ", "..", ",", "\t"]).map(
            lambda sign: sign.join(letters)
        )
    ),
)


@settings(deadline=None, max_examples=1500)
@given(text=TEXTS, config=CONFIGS)
@example(text="a-b-c" * 40, config=ALL)
@example(text="x" * 31 + " f r e e", config=ALL)
@example(text="\ufdfa" * 70 + "&NotEqualTilde;" * 70, config=ALL)
@example(text="f\u2022r\u2022e\u2022e", config=ALL)
def test_the_compiled_view_is_that_of_the_steps(text: str, config: FoldingConfig) -> None:
    assert compiled(config)(text) == fold_by_steps(text, config)


@pytest.mark.parametrize(
    "text",
    [
        "x x x",
        "f   r   e   e",
        "f...r...e...e",
        "a-÷-b-c",
        "\u00f8-\u00f6-\u00f8-\u00e6",
        "j1m@.com j1m@-.c j1m@x.c",
        "&#X26;lt; &#x26;lt; &#38;lt;",
        "&#127; &#128; &#159; &#160; &#9; &#11; &#xd7ff; &#xfdfa; &ffilig;",
        "&CounterClockwiseContourIntegral; &amp;CounterClockwiseContourIntegralxx;",
        "\ufdfa" * 70 + "&ffilig;" * 70,
        "a" * 15 + " b c d " + "a" * 15,
    ],
)
@pytest.mark.parametrize("config", [ALL, FoldingConfig(homoglyphs=False, invisible=False)])
def test_the_rims_of_each_rule_are_told_alike(text: str, config: FoldingConfig) -> None:
    assert compiled(config)(text) == fold_by_steps(text, config)


LONG = {
    "letter": "a" * 1_000_000,
    "marks": "e" + "\u0301\u0336" * 500_000,
    "escapes": "&" + "amp;" * 250_000,
    "escapes of a name": "&" + "amp;" * 250_000 + "lt;",
    "entities": "&eacute;" * 125_000,
    "zeros of a character": "&#" + "0" * 1_000_000 + ";&#x" + "0" * 100_000,
    "zeros": "&#" + "0" * 1_000_000 + "102;",
    "ampersands": "&" * 500_000 + "&#" * 250_000,
    "spelled": "a." * 500_000,
    "spelled with digits": "a" + ".1" * 500_000,
    "spelled with blanks": "a b " * 250_000,
    "leetspeak": "a1" * 500_000,
    "domains": "a1b@c-" * 166_000,
    "exclamation": "b!" * 500_000,
    "expanding": "\ufdfa" * 50_000,
    "nul": "\x00" * 1_000_000,
}


@pytest.mark.parametrize("name", LONG)
def test_long_texts_of_one_kind_are_told_alike(name: str) -> None:
    text = LONG[name]
    assert compiled(ALL)(text) == fold_by_steps(text, ALL)


def test_a_text_of_many_new_characters_is_told_alike_before_and_after_they_are_known() -> None:
    fold = compiled_fold(ALL)
    assert fold is not None
    text = "".join(map(chr, range(0x4E00, 0x5400)))
    expected = fold_by_steps(text, ALL)
    assert [fold(text) for _ in range(9)] == [expected] * 9


def test_no_character_that_composes_with_one_before_it_is_taken_for_one_that_stands_alone() -> None:
    seconds = {
        mark
        for point in range(sys.maxunicode + 1)
        for mark in unicodedata.normalize("NFD", chr(point))[1:]
        if len(unicodedata.normalize("NFC", chr(point))) == 1
    }
    for second in seconds:
        for first in "ae\u0438\u1100\uac00":
            text = f"{first}{second}"
            assert compiled(ALL)(text) == fold_by_steps(text, ALL)


@pytest.mark.parametrize("switch", [None, *SWITCHES])
def test_every_character_of_the_basic_plane_is_told_alike(switch: str | None) -> None:
    config = FoldingConfig(**{switch: False}) if switch else ALL
    for first in range(0, 0x10000, 64):
        text = " ".join(f"a{chr(point)}{chr(point)}b {chr(point)}" for point in range(first, first + 64))
        assert compiled(config)(text) == fold_by_steps(text, config)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="a text must be str, not bytes"):
        compiled(ALL)(b"text")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="after it was made"):
        Folder.__new__(Folder).fold("text")


def made(**parts: object) -> Folder:
    """Return a folder that leaves characters as they are."""
    switches = {"spacing": True, "leetspeak": True, "elongation": True}
    plain = {"alone": str, "front": str, "entity": str, "leet": LEET, **switches}
    return Folder(**{**plain, **parts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "error", "message"),
    [
        ({"leet": {chr(point): "a" for point in range(33)}}, ValueError, "at most 32 signs"),
        ({"leet": {"ab": "a"}}, ValueError, "one sign stands for one letter; got 'ab' for 'a'"),
        ({"leet": {1: "a"}}, TypeError, "a text must be str, not int"),
        ({"leet": []}, TypeError, "dict"),
        ({"alone": lambda character: 1}, TypeError, "a text must be str, not int"),
        ({"alone": lambda character: 1 / 0}, ZeroDivisionError, "division"),
    ],
)
def test_a_folder_refuses_what_it_cannot_use(
    parts: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        made(**parts)
    with pytest.raises(TypeError, match="made once"):
        made().__init__(**parts)  # type: ignore[misc]


def test_errors_of_the_functions_that_it_asks_are_handed_on() -> None:
    def fails_beyond_ascii(text: str) -> str | None:
        return text if text.isascii() else text[7:][0]

    with pytest.raises(IndexError):
        made(alone=fails_beyond_ascii).fold("é")
    with pytest.raises(IndexError):
        made(alone=lambda text: text if text.isascii() else None, front=fails_beyond_ascii).fold("é")
    with pytest.raises(ZeroDivisionError):
        made(entity=lambda what: 1 / 0).fold("&lt;")
    for wrong in (
        {"entity": lambda what: None},
        {"front": lambda text: None, "alone": lambda c: c if c < "é" else None},
    ):
        with pytest.raises(TypeError, match="a text must be str, not NoneType"):
            made(**wrong).fold("é &lt;")


def test_look_alikes_go_through_the_steps() -> None:
    seen = []

    def front(text: str) -> str:
        seen.append(text)
        return fold_by_steps(text, ALL)

    folder = made(front=front, alone=lambda character: None if character in LOOKALIKES else character)
    assert folder.fold("\u0441laim \u2019") == "claim '"
    assert folder.fold("claim é") == "claim é"
    assert seen == ["\u0441laim \u2019"]
