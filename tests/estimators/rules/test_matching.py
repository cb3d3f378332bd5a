"""Patterns of one view: one pass finds what single searches find, and where."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.estimators.rules.matching import MAX_SPANS, Matcher
from assay.estimators.rules.patterns import SET_MEMORY

PATTERNS = [
    r"\<free\>",
    r"free",
    r"(?i)win|won",
    r"^a",
    r"\d{2,}",
    r"[^a-z ]é",
    r"\<é[a-zé]*\>",
    r"a.*b",
    r"\>!\s*\<(?:win|a)",
    r"£\d+$",
]
IN_PYTHON = [
    pattern.replace(r"\<", r"(?<!\w)(?=\w)").replace(r"\>", r"(?<=\w)(?!\w)") for pattern in PATTERNS
]
PIECES = st.sampled_from(
    ["free", "win", "WON", "a", "b", "é", "éa", " ", "!", "£", "55", "\n", "-", "5", "日"]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


def matcher(*patterns: str) -> Matcher:
    """Return a matcher with memory enough."""
    return Matcher(patterns, max_mem=SET_MEMORY)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_a_set_finds_what_single_searches_and_python_find(text: str) -> None:
    every = matcher(*PATTERNS)
    found = sorted(every.match(text, text.encode()) or [])
    single = every.match_each(text.encode())
    pythons = [n for n, p in enumerate(IN_PYTHON, 1) if re.search(p.replace("$", r"\Z"), text)]
    assert found == [0, *single]
    assert single == pythons


@pytest.mark.parametrize(
    ("pattern", "text", "spans"),
    [
        (r"\<free\>", "free free,free", [(0, 4), (5, 9), (10, 14)]),
        (r"\<free\>", "é free — free 日本 free", [(2, 6), (9, 13), (17, 21)]),
        (r"\<日\>", "日 日日 日", [(0, 1), (5, 6)]),
        (r"\<win ", "win win win", [(0, 4), (4, 8)]),
        (r"win\>", "win winwin win", [(0, 3), (7, 10), (11, 14)]),
        (r"(a)|(b)c", "xaybc", [(1, 2), (3, 5)]),
        (r"(a)?\<(b)|é\>", "b ab é", [(0, 1), (5, 6)]),
        (r"^|a", "a-a", [(2, 3)]),
        (r"a*(?:b|$)", "aabab", [(0, 3), (3, 5)]),
        (r"👩", "x👩👩", [(1, 2), (2, 3)]),
    ],
)
def test_spans_are_characters_without_the_edges(
    pattern: str, text: str, spans: list[tuple[int, int]]
) -> None:
    assert matcher(pattern).spans(1, text) == spans


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_spans_are_those_that_python_finds(text: str) -> None:
    every = matcher(*PATTERNS)
    for number in (1, 2, 3, 5, 7):
        pythons = re.finditer(IN_PYTHON[number - 1], text)
        assert every.spans(number, text) == [match.span() for match in pythons]


def test_the_places_of_a_pattern_that_are_told_have_a_limit() -> None:
    assert len(matcher("a").spans(1, "a" * 1000)) == MAX_SPANS


def test_letters_beyond_ascii_are_noticed_and_signs_are_not() -> None:
    one = matcher(r"\<win\>")
    for text, fires in {"£win “win”": True, "éwin": False, "win٣": False, "win\u0301": False}.items():
        assert one.match(text, text.encode()) == ([0, 1] if fires else [0]), text


def test_without_memory_there_is_no_answer_instead_of_no_match() -> None:
    small = Matcher([r"\<win\>"], max_mem=1)
    assert small.match("win", b"win") is None
    assert small.match("é win", "é win".encode()) is None
    assert small.match_each(b"win") == [1]


def test_a_repeated_group_that_python_takes_ages_for_ends() -> None:
    one, text = matcher("^(a+)+$"), "a" * 100_000
    assert sorted(one.match(text, text.encode()) or []) == [0, 1]
    assert one.match(text + "b", text.encode() + b"b") == [0]
