"""Rules files: what is refused, by the rule's id and with the reason, all faults in one error."""

import contextlib
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.config import FoldingConfig
from assay.estimators.rules import Rules, parse_rules, read_rules
from assay.estimators.rules.rule import MAX_PATTERN
from assay.estimators.rules.rulefile import MAX_BYTES, MAX_RULES, read_rules_toml
from assay.exceptions import ConfigError, RuleError
from tests.rulesets import RULES_TOML, TODAY, small_rules

WIN = {"id": "win", "pattern": "win", "label": "spam", "action": "decide", "examples": ["win"]}


def parsed(*tables: dict, **top: object) -> Rules:
    """Return the rules of tables."""
    return parse_rules(
        {"rule": list(tables), **top},
        source="a.toml",
        labels=("ham", "spam"),
        positive="spam",
        folding=FoldingConfig(),
        today=TODAY,
    )


def fault(**parts: object) -> str:
    """Return what is said of the rule ``win`` with other parts."""
    with pytest.raises(RuleError) as caught:
        parsed({key: value for key, value in (WIN | parts).items() if value is not None})
    [[told]] = caught.value.data["rules"].values()
    assert caught.value.message.startswith("a.toml has rules that cannot be used:\n  ")
    assert told in caught.value.message
    return told


def test_the_shared_rules_file_is_sound(tmp_path: Path) -> None:
    assert [rule.id for rule in small_rules(tmp_path).all] == [
        table["id"] for table in tomllib.loads(RULES_TOML)["rule"]
    ]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=a)b", "invalid perl operator: (?= (look-around and back-references are not supported)"),
        ("(?<!a)b", "invalid perl operator: (?<! (look-around and back-references are not supported)"),
        (r"(a)\1", r"invalid escape sequence: \1 (look-around and back-references are not supported)"),
        ("a++", "bad repetition operator: ++"),
        ("(win", "missing ): (win"),
    ],
)
def test_syntax_that_re2_lacks_is_refused_in_its_words(pattern: str, said: str) -> None:
    assert said in fault(pattern=pattern)


@pytest.mark.parametrize("pattern", ["a*", "^", "win|", r"\z", "(?:)", r"(?:\<win\>)?", "x{0}"])
def test_a_pattern_that_matches_the_empty_text_is_refused(pattern: str) -> None:
    assert "matches the empty text, and so every text" in fault(pattern=pattern)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"label": "eggs"}, "its label 'eggs' is not one of the task's labels ['ham', 'spam']"),
        ({"action": "block"}, "action: Input should be 'decide' or 'evidence' (got 'block')"),
        ({"view": "bare"}, "view: Input should be 'raw' or 'folded' (got 'bare')"),
        ({"examples": None}, "examples: Field required"),
        ({"examples": []}, "examples: Tuple should have at least 1 item"),
        ({"examples": ["win", 3]}, "examples.1: Input should be a valid string"),
        ({"examples": ["win", "  "]}, "its example '  ' is empty"),
        ({"examples": ["win" * 30_000]}, "has 90,000 bytes of UTF-8; at most 65,536 are allowed"),
        ({"examples": ["lose"]}, "its example 'lose' does not match"),
        ({"counterexamples": ["winter"]}, "its counter-example 'winter' matches"),
        ({"expires": "soon"}, "expires: Input should be a valid date"),
        ({"pattern": ""}, "pattern: String should have at least 1 character"),
        ({"pattern": "w" * (MAX_PATTERN + 1)}, "pattern: String should have at most 2000 characters"),
        ({"regex": "win"}, "'regex' is no key of a rule; those are id, pattern, label, action, view"),
        ({"pattern": r"\C"}, r"its pattern matches single bytes by \C; rules read characters"),
        ({"pattern": r"\<!"}, r"its pattern '\\<!' can never match"),
        ({"pattern": r"\<.\>." * 300}, r"grows too large by its \< and \>: pattern too large"),
        ({"view": "folded", "examples": ["WIN", "l0se"]}, "'l0se' does not match; folded it reads 'lose'"),
        ({"view": "folded", "counterexamples": ["WIN"]}, "'WIN' matches; folded it reads 'win'"),
    ],
)
def test_a_rule_with_a_fault_is_refused_with_the_reason(parts: dict, said: str) -> None:
    assert said in fault(**parts)


@pytest.mark.parametrize("name", ["Win", "1win", "", "a b", "x" * 64, None, 7])
def test_a_rule_whose_id_is_no_name_is_refused_by_what_it_has(name: object) -> None:
    assert "id" in fault(id=name)


def test_all_faulty_rules_of_a_file_are_told_in_their_order() -> None:
    tables = [
        WIN | {"id": "c", "examples": ["lose"]},
        WIN | {"id": "b", "pattern": "(", "label": "eggs"},
        WIN,
        {"pattern": "x"},
        WIN | {"id": "a"},
        WIN | {"id": "a"},
    ]
    with pytest.raises(RuleError) as caught:
        parsed(*tables)
    assert list(caught.value.data["rules"]) == ["c", "b", "a", "(rule 4)"]
    assert len(caught.value.data["rules"]["b"]) == 2
    assert caught.value.message.count("  a: its id stands 2 times; an id names one rule") == 1
    assert "win:" not in caught.value.message
    assert caught.value.data["source"] == "a.toml"
    assert isinstance(caught.value, ConfigError)


def test_rules_that_decide_one_example_differently_are_refused() -> None:
    ham = {"id": "footer", "pattern": "sent by us", "label": "ham", "action": "decide"}
    with pytest.raises(RuleError) as caught:
        parsed(WIN | {"examples": ["win", "win, sent by us"]}, ham | {"examples": ["sent by us"]})
    [told] = caught.value.data["rules"]["win"]
    assert told == (
        "contradicts the rule 'footer': it decides 'spam' and the other one 'ham', and both fire on its "
        "example 'win, sent by us'; narrow one of them"
    )
    assert list(caught.value.data["rules"]) == ["win"]


def test_a_contradiction_across_views_is_seen() -> None:
    ham = {"id": "polite", "pattern": "please", "label": "ham", "action": "decide", "view": "folded"}
    with pytest.raises(RuleError, match="polite: contradicts the rule 'win'"):
        parsed(WIN, ham | {"examples": ["please", "PL3ASE win"]})


@pytest.mark.parametrize(
    "other",
    [
        {"action": "evidence", "label": "ham"},
        {"label": "spam"},
        {"label": "ham", "expires": date(2026, 11, 20)},
    ],
    ids=["evidence", "same label", "expired"],
)
def test_other_rules_may_overlap(other: dict) -> None:
    assert len(parsed(WIN, WIN | {"id": "other"} | other).all) == 2


def test_the_syntax_of_an_expired_rule_is_checked_and_its_examples_are_not() -> None:
    off = WIN | {"id": "off", "expires": date(2026, 11, 20)}
    assert [rule.id for rule in parsed(WIN, off | {"examples": ["lose"]}).expired] == ["off"]
    with pytest.raises(RuleError, match="off: RE2 cannot read its pattern"):
        parsed(WIN, off | {"pattern": "(?=a)"})


def test_a_rule_is_on_through_the_day_it_expires() -> None:
    table = WIN | {"expires": date(2026, 11, 21)}
    assert [rule.id for rule in parsed(table).active] == ["win"]
    assert [rule.id for rule in parsed(table, as_of=date(2026, 11, 22)).expired] == ["win"]


@pytest.mark.parametrize("day", ["2026-11-21", 2026, tomllib.loads("d = 2026-11-21T00:00:00")["d"]])
def test_a_day_that_is_no_date_is_refused(day: object) -> None:
    with pytest.raises(RuleError, match=r"a.toml: as_of must be a date like 2026-11-21, without quotes; got"):
        parsed(WIN, as_of=day)


def test_a_file_without_rules_has_none() -> None:
    assert parsed().all == ()


def test_too_many_rules_are_refused() -> None:
    tables = [WIN | {"id": f"win-{number}"} for number in range(MAX_RULES + 1)]
    with pytest.raises(RuleError, match="has 1,001 rules; at most 1,000 are allowed"):
        parsed(*tables)
    assert len(parsed(*tables[:-1]).active) == MAX_RULES


@pytest.mark.parametrize("values", [{"rule": WIN}, {"rule": ["win"]}, {"rule": "win"}])
def test_rules_that_are_no_tables_are_refused(values: dict) -> None:
    with pytest.raises(RuleError, match=r"every rule must be a table under \[\[rule\]\]"):
        parsed(**values)


def test_unknown_keys_of_a_file_are_refused() -> None:
    with pytest.raises(RuleError, match=r"a.toml has unknown keys \['rules'\]; it holds \[\[rule\]\] tables"):
        parsed(rules=[])


def refusal(path: Path) -> str:
    """Return the message with which a rules file is refused."""
    with pytest.raises(RuleError) as caught:
        read_rules(path, labels=("ham", "spam"), positive="spam", folding=FoldingConfig())
    return caught.value.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[[rule]]\nid = win\n", "is not TOML: Invalid value (at line 2, column 6)"),
        (b"[[rule]]\nid = '\xe9' ", "byte 0xe9 is not valid UTF-8 (at line 2, column 7)"),
        ("# Motörhead\n# é ".encode() + b"\xff", "byte 0xff is not valid UTF-8 (at line 2, column 5)"),
        (b"a = " + b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_with_the_place(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(content)
    assert said in refusal(path)
    assert str(path) in refusal(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.toml").startswith("There is no rules file ")
    assert refusal(tmp_path).endswith(" cannot be read: Is a directory.")


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULES_TOML, encoding="utf-8-sig")
    assert read_rules(path, labels=("ham", "spam"), positive="spam", folding=FoldingConfig()).active
    path.write_bytes(b"\xef\xbb\xbf# \xff")
    assert "byte 0xff is not valid UTF-8 (at line 1, column 3)" in refusal(path)


def test_expiry_is_judged_today_without_a_day(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(RULES_TOML, encoding="utf-8")
    read = read_rules(path, labels=("ham", "spam"), positive="spam", folding=FoldingConfig())
    assert abs((read.as_of - date.today()).days) <= 1


SHORT = st.text("aé 1-\x00", max_size=4)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | SHORT | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SHORT, inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    parts=st.fixed_dictionaries(
        {}, optional={key: JUNK | st.just(value) for key, value in [*WIN.items(), ("view", "raw")]}
    ),
    pattern=st.text(r"ab()[]{}|*+?\<>^$.-1,:=!é", max_size=12),
)
def test_whatever_a_rule_holds_it_is_read_or_refused(parts: dict, pattern: str) -> None:
    for table in (WIN | parts, WIN | {"pattern": pattern}):
        with contextlib.suppress(RuleError):
            assert len(parsed(table).all) == 1


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(RuleError, match="1,048,577 bytes; a rules file has at most 1,048,576"):
        read_rules_toml(path)
    path.write_bytes(b"#" * MAX_BYTES)
    assert read_rules_toml(path) == {}
