"""What counts as a disguise of each kind, and what does not."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.config import FoldingConfig
from assay.estimators.folding import fold

ALL = FoldingConfig()


def only(switch: str) -> FoldingConfig:
    """Return the configuration with this switch on and the others off."""
    return FoldingConfig(**{name: name == switch for name in FoldingConfig.model_fields})


@pytest.mark.parametrize(
    "text",
    [
        "call 08712 345 at 10:30, it is £1000 or $5.50 (about 50%)",
        "1st 2nd 3rd 4u mp3 covid19 top10 room5 ps4 b2b gr8 l8r 2day",
        "w1j6hl sk38xh po139wa ec1 4da sw7 3ss",
        "win150p or 3x1",
        "write to info@shop.example, a.b@c-d.example or j@ne@shop.example now",
        "&notit; &nosuch; &lt",
        "great!the end, wow!how, mr!!x it's!so",
        "r&d, a|b, u.s. and e.g. x-y, i'm a c",
        "the sales of t-shirts - a b",
        "x x x x and o-o-o",
        "c1a2s x",
    ],
)
def test_what_is_no_disguise_stays(text: str) -> None:
    assert fold(text, ALL) == text


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("usb-кабель и ноутбук", "usb-кабель и ноутбук"),
        ("слово it-отдел", "слово it-отдел"),
        (
            "press \u0440\u0430\u0443 to go on or \u0441\u043e\u0440 \u0438\u043b\u0438",
            "press pay to go on or \u0441\u043e\u0440 \u0438\u043b\u0438",
        ),
        ("\u043bx\u0441\u043b", "\u043bx\u0441\u043b"),
        ("и l\u0336с и ис\u0336l", "и lc и ис\u0336l"),
        ("и с\u0336l и", "и cl и"),
        ("\u0441laim: он в саду, и кот спит", "claim: он в саду, и кот спит"),
        ("запустите программу foo в bar", "запустите программу foo в bar"),
        ("run the программу foo \u0432 bar and stay", "run the программу foo b bar and stay"),
        ("w \u0456 n n e r", "winner"),
    ],
)
def test_look_alikes_are_judged_by_their_word_and_their_phrase(text: str, view: str) -> None:
    assert fold(text, ALL) == view


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("a1b", "aib"),
        ("fi1e ca11 ca11s k111s k1d k111", "file ca11 calls kllls kid k111"),
        ("c4$h ca$$h", "cash cassh"),
        ("c47s", "c47s"),
        ("c4444s", "c4444s"),
        ("sh0p 0sh0p sh0p0 sh0p00 sh0p1ж", "shop 0shop shopo shop00 shop1ж"),
        ("v1a2gra", "v1a2gra"),
        ("d@y d@y.com d@y-x.net", "day d@y.com d@y-x.net"),
        ("v1s@-b", "vis@-b"),
        ("sch!ff schw!m a!b by!the 's!t", "schiff schw!m a!b by!the 's!t"),
        ("\u00a1 h\u00a1t", "\u00a1 hit"),
    ],
)
def test_leetspeak_is_read_only_where_it_can_be(text: str, view: str) -> None:
    assert fold(text, only("leetspeak")) == view


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("u.s.a. and F.B.I", "usa. and fbi"),
        ("f.r-e.e", "f.r-e.e"),
        ("w-i-nd", "w-i-nd"),
        ("xw-i-n", "xw-i-n"),
        ("don't e n", "don't e n"),
        ("e n t'is", "e n t'is"),
        ("a 1 b", "a 1 b"),
        ("a.1.b.c", "a1bc"),
        ("a-1-0-b", "a-1-0-b"),
        ("x x x", "x x x"),
        ("с п а м", "спам"),
        ("с-о-м", "с-о-м"),
        ("f\nr\ne\ne", "f\nr\ne\ne"),
        ("f    r    e    e", "f    r    e    e"),
        ("f---r---e---e", "f---r---e---e"),
        ("할 수 있 는 것", "할 수 있 는 것"),
    ],
)
def test_letters_are_joined_where_one_separator_spells_a_word(text: str, view: str) -> None:
    assert fold(text, only("spacing")) == view


def test_long_runs_of_marks_are_composed_in_pieces() -> None:
    text = "\u0435" + "\u0301\u0323" * 50
    folded = fold(text, only("compatibility"))
    assert sorted(folded) == sorted(text)
    assert folded == unicodedata.normalize("NFKC", text[:33]) + "".join(
        unicodedata.normalize("NFKC", text[at : at + 32]) for at in range(33, len(text), 32)
    )


@settings(deadline=None)
@given(st.text(max_size=30))
@example("e\u0301 \u0435\u0308 か\u3099 \u1112\u1161\u11ab \u01f0 \u0390 \u1e9b\u0323")
def test_compatibility_is_nfkc(text: str) -> None:
    normal = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    assert fold(text, only("compatibility")) == normal


@settings(deadline=None)
@given(st.text(st.sampled_from("abc XYZ,.\n")))
def test_plain_words_only_become_lower_case(text: str) -> None:
    config = FoldingConfig(elongation=False, spacing=False)
    assert fold(text, config) == text.lower()
