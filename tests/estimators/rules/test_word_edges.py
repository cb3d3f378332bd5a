r"""``\<`` and ``\>``: the edges of words in any script, as Python's look-around would find them."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assay.estimators.rules.patterns import compile_pattern
from assay.estimators.rules.syntax import PatternFault
from assay.estimators.rules.word_edges import expand, has_edges

# A small alphabet, spelled out for Python, whose \w and \b know other words than RE2's.
WORD = "[abé1_]"
IN_PYTHON = {
    r"\<": f"(?<!{WORD})(?={WORD})",
    r"\>": f"(?<={WORD})(?!{WORD})",
    "$": r"\Z",
    r"\s": r"[ \n]",
    r"\w": "[ab1_]",
    r"\Qa-\E": "a-",
}
PARTS = [r"\<", r"\>", "a", "b", "é", " ", "-", "_", "1", ".", "(?s:.)", "[a-]", "[^a]", "[é ]"]
PARTS += [r"\s", r"\w", "^", "$", r"\b", r"\Qa-\E"]
COUNTS = ["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}", "*?", "+?", "??"]


def both(parts: st.SearchStrategy[tuple[str, str]]) -> st.SearchStrategy[tuple[str, str]]:
    """Return larger patterns made of smaller ones, each in RE2's spelling and in Python's."""
    rows = st.lists(parts, min_size=2, max_size=4)
    return st.one_of(
        rows.map(lambda row: ("".join(r for r, _ in row), "".join(p for _, p in row))),
        rows.map(lambda row: (f"({'|'.join(r for r, _ in row)})", f"({'|'.join(p for _, p in row)})")),
        st.tuples(parts, st.sampled_from(COUNTS)).map(
            lambda pair: (f"(?:{pair[0][0]}){pair[1]}", f"(?:{pair[0][1]}){pair[1]}")
        ),
    )


LEAVES = st.sampled_from(PARTS).map(lambda part: (part, IN_PYTHON.get(part, part)))
PATTERNS = st.recursive(LEAVES, both, max_leaves=10)
TEXTS = st.lists(st.text("aabé1_ -\n", max_size=8), min_size=10, max_size=10)


def compiled(pattern: str) -> list | None:
    """Return a pattern's expansions; None where it can never match, an empty list where it is refused."""
    try:
        compile_pattern(pattern)
        return [compile_pattern(expansion) for expansion in expand(pattern)]
    except PatternFault as fault:
        return None if "never match" in str(fault) else []
    except ValueError:
        return []


@settings(max_examples=200, deadline=None)
@given(pattern=PATTERNS, texts=TEXTS)
def test_edges_are_where_look_around_finds_them(pattern: tuple[str, str], texts: list[str]) -> None:
    ours, pythons = pattern
    assume(has_edges(ours))
    reference, expansions = re.compile(pythons, re.ASCII), compiled(ours)
    assume(expansions != [])
    for text in texts:
        expected = reference.search(text) is not None
        exact, plain, loose = [regex.search(text) is not None for regex in expansions or ()] or [False] * 3
        assert exact == expected
        assert "é" in text or plain == expected
        assert loose or not expected or expansions is None


def fires(pattern: str, text: str) -> bool:
    """Return whether a pattern with edges matches in a text."""
    return compile_pattern(expand(pattern).exact).search(text) is not None


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        (
            r"\<free\>",
            ["free", "a free b", "(free)", "«free»", "free\n"],
            ["freed", "afree", "free1", "_free"],
        ),
        (r"\<слово\>", ["слово", "есть слово!"], ["словом", "преслово", "слово́"]),
        (r"\<كلمة\>", ["كلمة", "هذه كلمة،"], ["كلمةً", "بكلمة", "كلمة٣"]),
        (r"\<言葉\>", ["言葉", "「言葉」", "言葉。"], ["言葉を", "お言葉"]),
        (r"\<été\>", ["été", "l'été."], ["étés", "e\u0301té", "été\u0301"]),
        (r"\<win\>", ["win x", "£win", "win—"], ["éwin", "winé", "win\u0301", "win²"]),
        (r"\<win\> \<free\>", ["win free", "é win free é"], ["win freed", "awin free"]),
        (r"\<win\>.{0,9}\<free\>", ["win free", "win — free", "win! é free"], ["winfree", "win éfree"]),
        (r"\<\d+\>", ["7", "a 77."], ["7a", "é7"]),
        (r"(?i)\<K+\>", ["k", "K\u212a"], ["ak", "ké"]),
        (r"(?s)a\>.\<b", ["a\nb", "a b"], ["aéb", "ab"]),
        (r"a\>.\<b", ["a b"], ["a\nb"]),
        (r"\<(?:\<\w+\>\s*){3}$", ["a b c", "aa bb cc"], ["a b", "a b é c"]),
        (r"a\>[^x]{2}", ["a !", "a !é"], ["aé!", "a"]),
        (r"(?s)a\>(?:.)\<b", ["a\nb", "a b"], ["aéb"]),
        (r"(?s)a\>(?-s:.)\<b", ["a b"], ["a\nb"]),
        (r"(?ms)a\>$.", ["a\nb"], ["a b"]),
        (r"(?:\<a){1,2}(?:!b{2,3}c{2,}){2}\>", ["a!bbcc!bbbccc"], ["a!bbcc!bcc"]),
        (r"a\>[😀b]$", ["a😀"], ["ab"]),
        (r"^(?:-?a\>)+$", ["a", "a-a-a"], ["aa", "a-aa"]),
        (r"^(?:-?a\>|-?b)+$", ["a-b", "ba", "a-bb-a", "a-a-b-a"], ["ab", "aa", "a-ab"]),
        (r"(?i:\<a)\>", ["A", "a."], ["ab", "Aé"]),
        (r"\x61\>|\Q\>\E\<b", ["a", r"\>b"], ["ab", "b"]),
    ],
)
def test_a_word_ends_where_its_script_ends_it(pattern: str, found: list[str], missed: list[str]) -> None:
    assert [text for text in found if not fires(pattern, text)] == []
    assert [text for text in missed if fires(pattern, text)] == []


@pytest.mark.parametrize(
    "pattern", [r"[\<]", r"[^\]\>]", r"\Qa\<\E", r"\\<", r"a\\\\>", "<a>", r"[[:^alpha:]\<]"]
)
def test_classes_literal_runs_and_escaped_backslashes_hold_no_edges(pattern: str) -> None:
    assert not has_edges(pattern)


@pytest.mark.parametrize("pattern", [r"\<a", r"\\\<a", r"\Qa\E\>", r"[]\>]\>", r"[a\]]\<b"])
def test_edges_are_seen_beside_them(pattern: str) -> None:
    assert has_edges(pattern)


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        (r"\<\$5", "can never match"),
        (r"a\>b", "can never match"),
        (r"\<\s", "can never match"),
        (r"\>\d", "can never match"),
        (r"a\>\<", "can never match"),
        (r"a(?i)\<b", r"sets flags amid a group by '\(\?i\)'"),
        (r"(?:\<a\>\s*){11}", "more than 10 times; move the edges out of the group"),
        (r"(?:\<|\>)*", "ask for different things"),
        (r"\>(?:^|a){2}", "repeats an anchor"),
        (r"\<" + r"\s?\>(?:a?b?)?\<" * 40, "grows beyond 5,000 parts"),
        ("(" * 600 + r"\<a" + ")" * 600, "nests its groups too deeply"),
    ],
)
def test_edges_that_cannot_be_are_refused_with_the_reason(pattern: str, fault: str) -> None:
    with pytest.raises(PatternFault, match=fault):
        expand(pattern)


def test_a_set_can_hold_the_small_expansions() -> None:
    expansion = expand(r"\<win\>.*\<free\>")
    assert compile_pattern(expansion.plain).programsize < 100
    assert compile_pattern(expansion.loose).programsize < 100
