"""The folded view: disguises are undone, genuine text stays, and every character knows its source."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.config import FoldingConfig
from assay.estimators.folding import Folded, fold, fold_with_spans

ALL = FoldingConfig()
SWITCHES = list(FoldingConfig.model_fields)
CONFIGS = st.builds(FoldingConfig, **{switch: st.booleans() for switch in SWITCHES})


def only(*switches: str) -> FoldingConfig:
    """Return the configuration with these switches on and the others off."""
    return FoldingConfig(**{switch: switch in switches for switch in SWITCHES})


def without(switch: str) -> FoldingConfig:
    """Return the configuration with every other switch on."""
    return FoldingConfig(**{switch: False})


def source(text: str, word: str) -> str:
    """Return the part of a text that stands for a word of its folded view."""
    view = fold_with_spans(text, ALL)
    found = re.search(rf"\b{word}\b", view.text)
    assert found is not None
    return text[view.starts[found.start()] : view.ends[found.end() - 1]]


DISGUISES = [
    ("V1agra", "viagra"),
    ("v1@gr4", "viagra"),
    ("fr€e", "free"),
    ("ca$h", "cash"),
    ("p0rn0", "porno"),
    ("h3ll0", "hello"),
    ("pr!ze", "prize"),
    ("mi11i0n", "million"),
    ("c1ick", "click"),
    ("m0de1", "model"),
    ("w-i-n", "win"),
    ("W-I-N", "win"),
    ("f r e e", "free"),
    ("f  r  e  e", "free"),
    ("f\tr\te\te", "free"),
    ("f.r.e.e", "free"),
    ("f_r_e_e", "free"),
    ("f*r*e*e", "free"),
    ("f - r - e - e", "free"),
    ("f,r,e,e", "free"),
    ("f\u2013r\u2013e\u2013e", "free"),
    ("v.1.@.g.r.a", "viagra"),
    ("\u0441l\u0430im", "claim"),
    ("\u0420\u0410\u0423", "pay"),
    ("\u0440\u0430\u0443", "pay"),
    ("\u0397\u0435llo", "hello"),
    ("\u0389\u0435llo", "hello"),
    ("ca5h", "cash"),
    ("fr\u0903ee", "free"),
    ("w\u03b9n", "win"),
    ("\u039d\u039f\u03a4\u0395", "note"),
    ("\uff46\uff52\uff45\uff45", "free"),
    ("\U0001d4ef\U0001d4fb\U0001d4ee\U0001d4ee", "free"),
    ("\u24d5\u24e1\u24d4\u24d4", "free"),
    ("\u24a1\u24ad\u24a0\u24a0", "free"),
    ("\U0001f175\U0001f181\U0001f174\U0001f174", "free"),
    ("\u1d21\u026a\u0274", "win"),
    ("fr\u200bee", "free"),
    ("f\u200dr\u2060e\ufeffe", "free"),
    ("fr\u00adee", "free"),
    ("f\x00r\x08ee", "free"),
    ("f\U000e0001ree", "free"),
    ("&#102;ree", "free"),
    ("&#x66;ree", "free"),
    ("&#0000102ree", "free"),
    ("&amp;#102;ree", "free"),
    ("fr&eacute;e", "free"),
    ("fr&shy;ee", "free"),
    ("frée", "free"),
    ("fre\u0301e", "free"),
    ("free\u0301", "free"),
    ("f\u0336r\u0336e\u0336e\u0336", "free"),
    ("fr\u0435\u0308e", "free"),
    ("fr\u0e35ee", "free"),
    ("Łøve", "love"),
    ("freeee", "free"),
    ("winnn", "win"),
    ("w-i-n-n-n", "win"),
    ("f\u200brе\u0301\uff45", "free"),
]


@pytest.mark.parametrize(("disguise", "word"), DISGUISES)
def test_a_disguised_word_is_found_and_traced(disguise: str, word: str) -> None:
    text = f"So, {disguise}; yes"
    assert re.search(rf"\b{word}\b", fold(text, ALL))
    assert source(text, word) == disguise


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("R&amp;amp;D &#38;lt; &#x26;#38;gt;", "r&d < >"),
        (f"&#{'0' * 5000}; &#x{'0' * 5000}80 &#{'0' * 5000}102;ree", "\ufffd \u20ac free"),
        ("R&amp;unknown; &unknown; &lt", "r&unknown; &unknown; &lt"),
        ("&#99999999; &#; &x", "&#99999999; &#; &x"),
        ("one\r\ntwo\u2028three\ta\nb", "one\n\ntwo\nthree\ta\nb"),
        ("\u201cdon\u2019t\u201d don\u00b4t 5\u22122", "\"don't\" don't 5-2"),
        ("\ufb01ne \u00bd \u2163 a\u00a0bc\u3000d", "fine 1/2 iv a bc d"),
        ("Straße Œuvre Østen", "strasse oeuvre osten"),
        ("w-i-n a p-r-i-z-e", "win a prize"),
        ("f r e e  p r i z e", "free  prize"),
        ("\U0001f469\u200d\U0001f4bb\ufe0f", "\U0001f469\U0001f4bb"),
        ("İstanbul", "istanbul"),
    ],
)
def test_what_folding_makes_of_a_text(text: str, view: str) -> None:
    assert fold(text, ALL) == view
    assert fold_with_spans(text, ALL).text == view


GENUINE = [
    "позвоните сегодня, это не спам; я и с ним, а он у нас",
    "хор поёт в саду, а кот спит",
    "файл win на диске с в папке foo",
    "запустите программу foo в bar",
    "приїжджайте до нас у вівторок",
    "καλημέρα κόσμε, το ποτό και το φαγητό είναι εδώ",
    "բարեւ ձեզ, ինչպես եք",
    "مرحبا بالعالم",
    "שלום עולם, מה נשמע",
    "नमस्ते दुनिया",
    "今日はとても良い天気です。",
    "안녕하세요 여러분, 그 는 할 수 있 다",
    "你好，世界",
    "มาก",
]


@pytest.mark.parametrize("text", GENUINE)
def test_genuine_text_of_another_script_stays(text: str) -> None:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    assert fold(text, ALL) == plain
    assert fold_with_spans(text, ALL).text == plain


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("freeee", "free\nfre"),
        ("Go goooo nnnow", "go goo nnow\ngo go now"),
        ("спасибооо", "спасибоо\nспасибо"),
        ("good !!! 1000 ___", "good !!! 1000 ___"),
        ("aaa\nbbb", "aa\nbb\na\nb"),
    ],
)
def test_a_text_with_long_runs_is_told_twice(text: str, view: str) -> None:
    assert fold(text, only("elongation")) == view
    assert fold_with_spans(text, only("elongation")).text == view


def test_both_lines_of_an_elongated_text_lead_to_the_original() -> None:
    view = fold_with_spans("so mooo", ALL)
    assert view.text == "so moo\nso mo"
    assert view.starts == [0, 1, 2, 3, 4, 5, 7, 0, 1, 2, 3, 4]
    assert view.ends == [1, 2, 3, 4, 5, 7, 7, 1, 2, 3, 4, 7]


@pytest.mark.parametrize(
    ("text", "starts", "ends"),
    [
        ("win", [0, 1, 2], [1, 2, 3]),
        ("\u00c6on", [0, 0, 1, 2], [1, 1, 2, 3]),
        ("a&amp;b", [0, 1, 6], [1, 6, 7]),
        ("&semi;", [0], [6]),
        ("w-i-n", [0, 2, 4], [1, 3, 5]),
        ("\u200b", [], []),
        ("\u1112\u1161\u11ab\uff41", [0, 0], [4, 4]),
        ("\uff41e\u0301\uff42", [0, 1, 3], [1, 3, 4]),
    ],
)
def test_spans_of_single_characters(text: str, starts: list[int], ends: list[int]) -> None:
    view = fold_with_spans(text, ALL)
    assert (view.starts, view.ends) == (starts, ends)


KINDS = {
    "compatibility": ("\uff46\uff52\uff45\uff45 \ufb02", "free fl"),
    "invisible": ("fr\u200bee f\x01ree", "free free"),
    "entities": ("&#102;ree &lt;", "free <"),
    "homoglyphs": ("\u0441l\u0430im fr\u00e9e \u2019", "claim free '"),
    "leetspeak": ("v1agra fr\u20ace sh!p", "viagra free ship"),
    "elongation": ("freeee", "free\nfre"),
    "spacing": ("w-i-n f r e e", "win free"),
}


def test_every_switch_has_an_example() -> None:
    assert set(KINDS) == set(SWITCHES)


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_alone_undoes_its_kind_and_leaves_the_others(switch: str) -> None:
    for kind, (text, view) in KINDS.items():
        expected = view if kind == switch else text.casefold()
        assert fold(f"X {text}", only(switch)).startswith(f"x {expected.partition(chr(10))[0]}")
    assert fold(KINDS[switch][0], only(switch)) == KINDS[switch][1]


# Case folding takes ligatures apart at all times.
LEFT = {kind: text for kind, (text, _) in KINDS.items()} | {
    "compatibility": "\uff46\uff52\uff45\uff45 \u00b2"
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_that_is_off_leaves_its_kind_alone(switch: str) -> None:
    assert fold(LEFT[switch], without(switch)) == LEFT[switch]
    assert fold(KINDS[switch][0], ALL) == KINDS[switch][1]


def test_letters_become_lower_case_with_all_switches_off() -> None:
    assert fold("ÀB\u0301ΣΑΣ Straße \u200b&lt;", only()) == "àb\u0301σασ strasse \u200b&lt;"


@pytest.mark.parametrize(
    "character",
    "\x00 \x08 \x0e \x1f \x7f \x84 \x86 \x9f \xad \u034f \u061c \u115f \u17b4 \u180e \u200b \u200f \u202e"
    " \u2060 \u206f \u3164 \ufe0f \ufeff \uffa0 \ufff9 \U0001bca0 \U0001d173 \U000e0020 \U000e01ef".split(
        " "
    ),
)
def test_invisible_characters_are_dropped(character: str) -> None:
    assert fold(f"fr{character}ee", only("invisible")) == "free"
    assert fold(f"fr{character}ee é", only("invisible")) == "free é"


PARTS = st.sampled_from(
    [disguise for disguise, _ in DISGUISES]
    + [
        *GENUINE,
        "\u1100",
        "\u1161",
        "か",
        "\u3099",
        "\uff76\uff9e",
        "\u0345",
        "\u0149",
        "ΐ",
        "ǰ",
        "é",
        "\ud800",
    ]
    + list("aabcilst0123456789!@$€&;#.,-_ \t\n'|")
)
TEXTS = st.text(st.characters()) | st.lists(PARTS, max_size=12).map("".join)


def check_spans(view: Folded, text: str) -> None:
    """Assert that the places of a view lie in the text and rise along each of its lines."""
    assert len(view.text) == len(view.starts) == len(view.ends)
    assert all(0 <= start <= end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))


@settings(deadline=None, max_examples=400)
@given(text=TEXTS, config=CONFIGS)
@example(text="\ud800\x00", config=ALL)
@example(text="&#0;&#xd800;&#1114112;&#128512;", config=ALL)
@example(text="e" + "\u0323\u0301" * 40 + "а" + "\u0301\u0323" * 40, config=only("compatibility"))
@example(text="\U0001f469\u200d\U0001f469\u200d\U0001f467", config=without("invisible"))
@example(text="\ufdfa\ufb2c\u1e9b\u0323", config=ALL)
def test_the_slow_path_tells_the_same_text(text: str, config: FoldingConfig) -> None:
    view = fold_with_spans(text, config)
    assert view.text == fold(text, config)
    check_spans(view, text)


@settings(deadline=None, max_examples=400)
@given(text=TEXTS, config=CONFIGS)
def test_places_rise_along_each_line(text: str, config: FoldingConfig) -> None:
    view = fold_with_spans(text, config)
    first = len(fold_with_spans(text, config.model_copy(update={"elongation": False})).text)
    lines = [(0, len(view.text))]
    if (len(text), len(text)) in zip(view.starts, view.ends, strict=True):
        middle = next(at for at, start in enumerate(view.starts) if start == view.ends[at] == len(text))
        assert middle < first
        lines = [(0, middle), (middle + 1, len(view.text))]
    for start, end in lines:
        assert view.starts[start:end] == sorted(view.starts[start:end])
        assert view.ends[start:end] == sorted(view.ends[start:end])


@settings(deadline=None, max_examples=400)
@given(text=TEXTS, config=CONFIGS)
@example(text="p3n!s5!x", config=ALL)
@example(text="ſ ß ﬁ \u212a \u2126 \u1e9b \u1c82", config=ALL)
@example(text="\u0149 ſ ß ﬁ \u212a \u2126", config=without("compatibility"))
@example(text="\u1e790\u043d\u0438", config=ALL)
@example(text="\ufb01\u0430 \u0438", config=without("compatibility"))
@example(text="\u0438 b1b \u043d", config=ALL)
@example(text="\u0438 b!b \u043d", config=ALL)
def test_folding_again_changes_nothing(text: str, config: FoldingConfig) -> None:
    config = config.model_copy(update={"elongation": False})
    view = fold(text, config)
    if "&" not in view:
        assert fold(view, config) == view
