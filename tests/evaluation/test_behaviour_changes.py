import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.config import MAX_TEXT_BYTES
from assay.estimators import fault_of
from assay.evaluation.behaviour.changes import CHANGES, Change
from assay.evaluation.behaviour.letter_case import capitals, lower_case
from assay.evaluation.behaviour.links import LINK, add_link
from assay.evaluation.behaviour.names import MEN, WOMEN, change_name
from assay.evaluation.behaviour.negation import negate
from assay.evaluation.behaviour.prose import long_words
from assay.evaluation.behaviour.punctuation import change_punctuation
from assay.evaluation.behaviour.typos import WORDS_A_TYPO, add_typos

PIECES = st.sampled_from(
    [
        *(
            "See ",
            "you ",
            "tomorrow",
            ", ",
            "! ",
            "...",
            " ",
            "\n",
            "<br />",
            "&amp;",
            "&lt;",
            "@ann ",
            "#ok ",
        ),
        *("Tom", "MARIA", "Yusuf ", "DeShawn", "https://x.example/A?b ", "www.", "a.b@c.example", ".com"),
        *(
            "it's ",
            "It’s ",
            "I'll ",
            "YOU CAN ",
            "who may ",
            "has been ",
            "is ",
            "were ",
            "not ",
            "n't",
            "what ",
        ),
        *(
            "straße",
            "İstanbul",
            "ısı",
            "muſt ",
            "I mıght ",
            "ΟΔΥΣΣΕΥΣ",
            "ŉ",
            "ǅ",
            "e\u0301",
            "日本語。",
            "\0",
            "\u200d",
            "👩‍👧",
        ),
    ]
)
TEXTS = st.lists(PIECES | st.text(st.characters(), max_size=5), max_size=30).map("".join)
"""Any Unicode, lone surrogates too, with much of what the changes look for."""


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
@given(text=TEXTS)
def test_a_changed_text_differs_and_can_be_scored_and_is_the_same_every_time(
    change: Change, text: str
) -> None:
    changed = change(text)
    assert changed == change(text)
    if fault_of(text) is not None:
        assert changed is None
    if changed is not None:
        assert changed != text
        assert fault_of(changed) is None


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
@pytest.mark.parametrize("unit", ["word ", "we can ", "Tom, ", "a", "é", "is.", "<a", "&a", "@", "wwww.a"])
@pytest.mark.parametrize("missing", [0, 1, 30])
def test_a_text_near_the_limit_stays_within_it(change: Change, unit: str, missing: int) -> None:
    size = (MAX_TEXT_BYTES - missing) // len(unit.encode())
    text = unit * size + "x" * (MAX_TEXT_BYTES - missing - len(unit.encode()) * size)
    assert fault_of(text) is None
    changed = change(text)
    assert changed is None or fault_of(changed) is None


def test_each_change_has_a_name_of_its_own_and_two_have_a_direction() -> None:
    names = [change.name for change in CHANGES]
    assert names == ["typos", "lower case", "capitals", "names", "punctuation", "negation", "link"]
    assert [change.name for change in CHANGES if change.kind == "direction"] == ["negation", "link"]


@given(TEXTS)
def test_typos_are_in_one_long_word_of_twenty_and_leave_its_first_letter(text: str) -> None:
    words = list(long_words(text))
    changed = add_typos(text) if fault_of(text) is None else None
    if changed is None:
        return
    before, after = re.split(r"(\s+)", text), re.split(r"(\s+)", changed)
    assert len(before) == len(after)
    different = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert 1 <= len(different) <= max(1, len(words) // WORDS_A_TYPO)
    assert all(abs(len(a) - len(b)) <= max(1, len(words) // WORDS_A_TYPO) for a, b in different)
    assert all(a[0] == b[0] for a, b in different)


@pytest.mark.parametrize("number", range(20))
def test_long_texts_have_more_typos_each_in_its_word(number: int) -> None:
    words = [f"{first}{second}nder{'s' * number}" for first in "abcdefgh" for second in "aeiouwxyz"]
    changed = (add_typos(" ".join(words)) or "").split()
    different = [pair for pair in zip(words, changed, strict=True) if pair[0] != pair[1]]
    assert len(different) == 72 // WORDS_A_TYPO
    assert all(is_typo(*pair) and pair[0][0] == pair[1][0] for pair in different)


def is_typo(word: str, typed: str) -> bool:
    """Return whether two letters changed places, or one was left out or typed twice."""
    swapped = {word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)}
    left_out = {word[:at] + word[at + 1 :] for at in range(len(word))}
    doubled = {word[:at] + word[at] + word[at:] for at in range(len(word))}
    return typed in swapped | left_out | doubled


@pytest.mark.parametrize(
    "text",
    [
        "see you",
        "07700900123",
        "@someone #something",
        "https://www.example.org/pages",
        "日本語のテキスト",
        "&nbsp;",
        "o" * 41,
    ],
)
def test_what_is_no_long_word_gets_no_typo(text: str) -> None:
    assert add_typos(text) is None


def test_typos_are_swaps_gaps_and_doubles() -> None:
    lengths = {len(add_typos(f"window {number}") or "") - len(f"window {number}") for number in range(60)}
    assert lengths == {-1, 0, 1}


@given(TEXTS)
@example("straße ısı ΟΔΟΣ ŉ ǅ")
def test_case_changes_nothing_but_the_case(text: str) -> None:
    for change in (lower_case, capitals):
        changed = change(text)
        if changed is not None:
            assert len(changed) == len(text)
            assert changed.casefold() == text.casefold()
            assert change(changed) is None


def test_case_leaves_links_and_handles_alone() -> None:
    text = "Ask @Ann or see https://Example.org/A&amp;B, OK"
    assert lower_case(text) == "ask @Ann or see https://Example.org/A&amp;B, ok"
    assert capitals(text) == "ASK @Ann OR SEE https://Example.org/A&amp;B, OK"
    assert lower_case("ok 1") is None
    assert capitals("OK 1") is None


@given(TEXTS)
def test_one_name_becomes_another_of_its_kind_wherever_it_stands(text: str) -> None:
    changed = change_name(text)
    if changed is None:
        return
    words = [re.findall(r"\w+", each) for each in (text, changed)]
    different = {pair for pair in zip(*words, strict=True) if pair[0] != pair[1]}
    [(old, new)] = different
    assert old not in words[1]
    assert old.isupper() == new.isupper()
    assert any({old.upper(), new.upper()} <= {name.upper() for name in group} for group in (WOMEN, MEN))


@pytest.mark.parametrize("group", [WOMEN, MEN])
def test_every_name_becomes_another_in_the_letters_it_was_written_in(group: list[str]) -> None:
    for name in group:
        for number in range(5):
            changed = (change_name(f"{name} {number}") or "").removesuffix(f" {number}")
            assert changed in set(group) - {name}
    large = change_name(f"ASK {group[0].upper()}")
    assert large is not None
    assert large.removeprefix("ASK ") in {name.upper() for name in group[1:]}


@pytest.mark.parametrize("text", ["tom, maria", "Tomorrow", "Mariah", "Tom_x", "nobody"])
def test_other_words_are_no_names(text: str) -> None:
    assert change_name(text) is None


def test_names_are_listed_once_and_leave_out_common_words() -> None:
    names = [name.upper() for name in (*WOMEN, *MEN)]
    assert len(names) == len(set(names))
    words = set(
        "WILL MARK GRACE ROSE MAY APRIL HOPE FAITH JOY JACK BILL FRANK ART SUE ROB MAX GUY DICK RAY".split()
    )
    assert not words & set(names)


@given(TEXTS)
def test_punctuation_changes_no_letter_and_no_digit(text: str) -> None:
    changed = change_punctuation(text) if fault_of(text) is None else None
    if changed is not None:
        assert [each for each in changed if each.isalnum()] == [each for each in text if each.isalnum()]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("Well, see you!", "Well see you"),
        ("a fine film , really . \n", "a fine film really \n"),
        ("on my way", "on my way."),
        ("ten, at 5", "ten at 5."),
        ("そうです。", "そうです"),
        ("it costs 1,000", "it costs 1,000."),
        ("!!!", None),
        ("so :)", None),
        ("see www.example.org", None),
        ("see, www.example.org", "see www.example.org"),
    ],
)
def test_marks_at_the_end_and_commas_come_and_go(text: str, changed: str | None) -> None:
    assert change_punctuation(text) == changed


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("the plot is thin", "the plot is not thin"),
        ("It's long and we're tired", "It's not long and we're not tired"),
        ("It’s long", "It’s not long"),
        ("I'm here", "I'm not here"),
        ("you can go", "you can't go"),
        ("he must go", "he must not go"),
        ("I'll call", "I won't call"),
        ("they’ll call", "they won't call"),
        ("it has been nice", "it has not been nice"),
        ("jokes were old and songs were new", "jokes were not old and songs were not new"),
        ("I mıght go", "I mıght not go"),
    ],
)
def test_statements_are_denied(text: str, changed: str) -> None:
    assert negate(text) == changed


@pytest.mark.parametrize(
    "text",
    [
        "is it new?",
        "what is this",
        "where were the others",
        "it is not long",
        "there is nothing new",
        "you can never go",
        "a can of beans",
        "as it is",
        "it is.",
        "had we known",
        "how are you",
        "well is it new",
        "so I can you know",
    ],
)
def test_questions_and_denials_are_left_as_they_are(text: str) -> None:
    assert negate(text) is None


@given(TEXTS)
def test_negation_adds_denials_and_nothing_else(text: str) -> None:
    changed = negate(text)
    if changed is not None:
        assert denials(changed) > denials(text)
        assert len(changed) >= len(text)


def denials(text: str) -> int:
    """Return how often a text says not, or n't."""
    return len(re.findall(r"\bnot\b|\w+n't\b", text))


@given(TEXTS)
def test_a_link_is_added_at_the_end_of_texts_without_one(text: str) -> None:
    changed = add_link(text) if fault_of(text) is None else None
    if changed is not None:
        assert changed.startswith(text)
        assert changed.endswith(LINK)
        assert changed.split()[-1] == LINK
        assert add_link(changed) is None


@pytest.mark.parametrize("text", ["see www.x", "x.com", "HTTP://x", "at bit.ly/7"])
def test_a_text_with_a_link_gets_none(text: str) -> None:
    assert add_link(text) is None


@pytest.mark.parametrize("apply", [add_typos, lower_case, capitals, change_name, change_punctuation, negate])
def test_a_text_of_nothing_to_change_is_left(apply: Callable[[str], str | None]) -> None:
    assert apply("?, 12 -") is None
