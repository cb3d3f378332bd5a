"""RE2's patterns and sets: what is refused, and that memory that ran out is told from no match."""

import pytest

from assay.estimators.rules.patterns import SET_MEMORY, PatternSet, compile_pattern

WORDS = [rf"\bword{number}\b.{{0,20}}x" for number in range(20)]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=a)", "invalid perl operator: (?="),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("a{1001}", "invalid repetition size: {1001}"),
        (r"\pL{1000}", "pattern too large - compile failed"),
        ("[é", "missing ]: [é"),
    ],
)
def test_a_refusal_holds_the_words_of_re2_and_nothing_is_printed(
    pattern: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="^" + "".join(rf"\x{ord(c):02x}" for c in said) + "$"):
        compile_pattern(pattern)
    assert capfd.readouterr() == ("", "")


def test_a_set_answers_with_the_numbers_of_its_patterns() -> None:
    assert sorted(PatternSet(["a", "b", "b|c"], SET_MEMORY).search(b"xbx") or []) == [0, 2, 3]
    assert PatternSet(["a"], SET_MEMORY).search(b"x") == [0]
    assert PatternSet([], SET_MEMORY).search(b"") == [0]


def test_a_set_that_was_not_compiled_for_lack_of_memory_answers_none(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert PatternSet(WORDS, 1 << 12).search(b"word3 x") is None
    assert capfd.readouterr() == ("", "")


def test_a_set_whose_search_runs_out_of_memory_answers_none() -> None:
    sets = [PatternSet(["x"] * 500, memory) for memory in range(8_000, 40_000, 500)]
    compiled = [one for one in sets if one.compiled]
    answers = [one.search(b"x" * 10) for one in compiled]
    assert None in answers
    assert [answer for answer in answers if answer is not None and len(answer) != 501] == []
    assert len(answers[-1] or []) == 501
