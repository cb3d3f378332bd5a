"""Rules: which fire on a text and where, in an order that lets allow rules speak first."""

import logging
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.config import FoldingConfig
from assay.estimators.rules import NO_RULES, Rule, Rules, parse_rules
from assay.exceptions import MissingExtra, RuleError, TextError
from tests.corpus import SPAM_GROUPS, labelled
from tests.rulesets import TODAY, small_rules

PLAIN = FoldingConfig()


def rule(name: str, pattern: str, **parts: object) -> Rule:
    """Return a rule that decides spam."""
    values = {"label": "spam", "action": "decide", "examples": ("x",), **parts}
    return Rule.model_validate({"id": name, "pattern": pattern, **values})


def ruleset(*rules: Rule, **parts: object) -> Rules:
    """Return rules of the positive label spam."""
    return Rules(rules, **{"positive": "spam", "folding": PLAIN, "as_of": TODAY, **parts})


@pytest.fixture
def small(tmp_path: Path) -> Rules:
    """The small rules file that tests share."""
    return small_rules(tmp_path)


def test_rules_that_decide_for_other_labels_come_first_and_evidence_last() -> None:
    rules = ruleset(
        rule("e", "e", action="evidence"),
        rule("s1", "s"),
        rule("h1", "h", label="ham"),
        rule("f", "f", action="evidence", label="ham"),
        rule("s2", "s", view="folded"),
        rule("h2", "h", label="ham"),
    )
    assert [r.id for r in rules.active] == ["h1", "h2", "s1", "s2", "e", "f"]
    assert [r.id for r in rules.deciding] == ["h1", "h2", "s1", "s2"]
    assert [r.id for r in rules.evidence] == ["e", "f"]
    assert [r.id for r in rules.all] == ["e", "s1", "h1", "f", "s2", "h2"]


def test_columns_of_hits_are_the_active_rules(small: Rules) -> None:
    texts = ["mum is at home", "a cash prize: reply", "fr€e mobile, stop", "sorry", "nothing"]
    assert small.hits(texts).astype(int).tolist() == [
        [1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0],
    ]
    assert small.hits(texts).dtype == np.bool_
    assert small.hits([]).shape == (0, 5)


def test_one_text_matches_what_it_hits_in_a_list() -> None:
    rules = ruleset(
        rule("evidence", "b", action="evidence"),
        rule("folded", r"\<free\>", view="folded"),
        rule("raw", "É|a"),
        rule("ham", "c", label="ham"),
    )
    for text in ["", "d", "a", "cba", "FREE", "É fr\u00e9e b", "日 fr33"]:
        matched = rules.matched(text)
        assert matched == sorted(matched)
        assert matched == np.flatnonzero(rules.hits([text])[0]).tolist()
    assert rules.matched("cba free") == [0, 1, 2, 3]
    with pytest.raises(TextError, match="Text 7 has a lone surrogate at character 1") as raised:
        rules.matched("a\ud800", 7)
    assert raised.value.data["index"] == 7


def test_without_rules_nothing_fires() -> None:
    assert NO_RULES.matched("b\ud800") == []
    assert NO_RULES.hits(["a", "b\ud800"]).shape == (2, 0)
    assert NO_RULES.find("a") == []
    assert NO_RULES.only([]) == NO_RULES


def test_a_rule_that_expired_is_kept_and_off() -> None:
    rules = ruleset(
        rule("old", "a", expires=date(2026, 11, 20)), rule("last-day", "a", expires=TODAY), rule("on", "a")
    )
    assert [r.id for r in rules.expired] == ["old"]
    assert [r.id for r in rules.active] == ["last-day", "on"]
    assert len(rules.all) == 3
    assert rules.hits(["a"]).shape == (1, 2)


def test_places_of_raw_rules_are_those_of_the_text() -> None:
    rules = ruleset(rule("win", r"\<win\>"), rule("money", r"£\d+"), rule("no", "none"))
    [win, money] = rules.find("👩 win £50, win")
    assert (win.rule.id, win.spans) == ("win", [(2, 5), (11, 14)])
    assert (money.rule.id, money.spans) == ("money", [(6, 9)])


@pytest.mark.parametrize(
    ("pattern", "text", "pieces"),
    [
        (r"\<viagra\>", "é buy V1agra now", ["V1agra"]),
        (r"\<free\>", "all FR€E and free", ["FR€E", "free"]),
        (r"\<win\>", "to w-i-n it", ["w-i-n"]),
        (r"\<paypal\>", "рауpal is not paypal", ["рауpal", "paypal"]),
        (r"\<fish\>", "ﬁsh &amp; chips", ["ﬁsh"]),
    ],
)
def test_places_of_folded_rules_are_those_of_the_text_as_it_came(
    pattern: str, text: str, pieces: list[str]
) -> None:
    [hit] = ruleset(rule("a", pattern, view="folded")).find(text)
    assert [text[start:end] for start, end in hit.spans] == pieces


def test_a_word_that_is_drawn_out_is_told_once() -> None:
    rules = ruleset(rule("a", r"\<free\>", view="folded"), rule("b", r"\<win\>", view="folded"))
    text = "freeee winnn"
    assert [(hit.rule.id, [text[a:b] for a, b in hit.spans]) for hit in rules.find(text)] == [
        ("a", ["freeee"]),
        ("b", ["winnn"]),
    ]


def test_what_fired_is_found_in_the_order_of_columns() -> None:
    rules = ruleset(
        rule("spam", "a"),
        rule("ham", "a", label="ham", view="folded"),
        rule("also", "a", view="folded"),
        rule("last", "a", action="evidence"),
    )
    assert [hit.rule.id for hit in rules.find("a")] == ["ham", "spam", "also", "last"]


def test_folding_is_as_it_was_configured() -> None:
    loose = rule("win", "win", view="folded")
    strict = FoldingConfig(leetspeak=False)
    assert ruleset(loose).hits(["w1n", "WIN"]).tolist() == [[True], [True]]
    assert ruleset(loose, folding=strict).hits(["w1n", "WIN"]).tolist() == [[False], [True]]


def test_one_by_one_is_as_together(small: Rules) -> None:
    texts, _ = labelled(SPAM_GROUPS, 40)
    together = small.hits(texts)
    assert together.any(axis=0).all()
    assert np.array_equal(np.vstack([small.hits([text]) for text in texts]), together)
    for text, row in zip(texts, together, strict=True):
        found = small.find(text)
        assert [hit.rule.id for hit in found] == [
            r.id for r, hit in zip(small.active, row, strict=True) if hit
        ]
        assert all(hit.spans for hit in found)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts=st.lists(st.text() | st.sampled_from(["fr3e offer", "é call prize, call", "İ later"])))
def test_without_memory_for_the_set_the_answers_are_the_same(small: Rules, texts: list[str]) -> None:
    poor = ruleset(*small.all, max_mem=1)
    assert np.array_equal(poor.hits(texts), small.hits(texts))
    assert poor.fallbacks == 2 * len(texts)
    assert small.fallbacks == 0


def test_a_set_that_runs_out_of_memory_amid_a_text_is_counted_and_answers() -> None:
    many = [rule(f"x-{number}", "x") for number in range(500)]
    texts = ["x" * 10, "y"]
    for memory in range(14_000, 40_000, 500):
        rules = ruleset(*many, max_mem=memory)
        hits = rules.hits(texts)
        assert hits[0].all()
        assert not hits[1].any()
        if rules.fallbacks == 1:
            return
    pytest.fail("every set either had memory for both texts or for none")


def test_a_fallback_is_warned_of_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    poor = ruleset(rule("a", "a"), rule("b", "b"), max_mem=1)
    with caplog.at_level(logging.WARNING):
        poor.hits(["a"] * 100)
    [record] = caplog.records
    assert record.name == "assay.estimators.rules.rules"
    assert record.getMessage().startswith("The set of 2 rules ran out of memory on a text of 1 bytes;")
    assert poor.fallbacks == 100


@pytest.mark.parametrize("view", ["raw", "folded"])
def test_a_lone_surrogate_is_refused_with_its_place(view: str) -> None:
    rules = ruleset(rule("a", "a", view=view))
    with pytest.raises(TextError, match="Text 1 has a lone surrogate at character 2,") as caught:
        rules.hits(["fine", "ab\udfff"])
    assert caught.value.data == {"index": 1}
    with pytest.raises(TextError, match="Text 0 has a lone surrogate"):
        rules.find("ab\udfff")


def test_one_text_for_a_list_is_refused() -> None:
    with pytest.raises(TextError, match=r"wrap it: hits\(\[text\]\)"):
        NO_RULES.hits("text")


def test_a_text_of_ten_megabytes_is_searched() -> None:
    rules = ruleset(rule("end", r"\<end\>$"), rule("pile", "^(a+)+$"))
    text = "word " * 2_000_000 + "end"
    assert rules.hits([text]).tolist() == [[True, False]]
    assert rules.find(text)[0].spans == [(10_000_000, 10_000_003)]


def test_only_keeps_what_is_named(small: Rules) -> None:
    less = small.only(["urgent", "family"])
    assert [r.id for r in less.active] == ["family", "urgent"]
    assert (less.as_of, less.folding, less.positive) == (small.as_of, small.folding, small.positive)
    assert less.hits(["mum is home now"]).tolist() == [[True, True]]
    poor = ruleset(rule("a", "a"), rule("b", "b"), max_mem=1).only(["b"])
    assert poor.hits(["b"]).tolist() == [[True]]
    assert poor.fallbacks == 1
    with pytest.raises(RuleError, match="There is no rule 'eggs'; the rules are") as caught:
        small.only(["eggs"])
    assert caught.value.data == {"rule": "eggs"}


def test_equality_is_of_what_decides(small: Rules, tmp_path: Path) -> None:
    assert small == small_rules(tmp_path)
    assert hash(small) == hash(small_rules(tmp_path))
    assert small != small.only(["urgent"])
    assert small != small_rules(tmp_path, today=date(2026, 11, 22))
    assert small != "rules"
    assert repr(small) == "<Rules: 3 deciding, 2 evidence, 0 expired, as of 2026-11-21>"


TEXT = st.text(min_size=1, max_size=20).filter(lambda text: text.strip())


@settings(deadline=None)
@given(
    note=st.text(),
    example=TEXT,
    expires=st.none() | st.dates(),
    action=st.sampled_from(["decide", "evidence"]),
    view=st.sampled_from(["raw", "folded"]),
)
def test_written_rules_read_back_as_they_were(
    note: str, example: str, expires: date | None, action: str, view: str
) -> None:
    one = rule(
        "a", "(?s).", note=note, examples=("lunch" + example,), expires=expires, action=action, view=view
    )
    rules = ruleset(one, rule("b", "x", counterexamples=("y",)))
    years_later = {"positive": "spam", "folding": PLAIN, "today": date(2040, 1, 1)}
    values = tomllib.loads(rules.to_toml())
    assert parse_rules(values, source="rules.toml", labels=("ham", "spam"), **years_later) == rules


def test_written_rules_keep_the_day_on_which_expiry_was_judged(tmp_path: Path) -> None:
    passing = ruleset(rule("offer", "x", expires=date(2026, 12, 24)))
    values = tomllib.loads(passing.to_toml())
    assert values["as_of"] == TODAY
    later = parse_rules(
        values, source="a", labels=("spam",), positive="spam", folding=PLAIN, today=date(2040, 1, 1)
    )
    assert [r.id for r in later.active] == ["offer"]
    assert tomllib.loads(NO_RULES.to_toml()) == {"as_of": date.min}


def test_writing_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomli_w", None)
    with pytest.raises(MissingExtra, match=r"Writing rules needs the package 'tomli-w'.*assay\[train\]"):
        NO_RULES.to_toml()


def test_threads_share_rules(small: Rules) -> None:
    texts, _ = labelled(SPAM_GROUPS, 100)
    expected = small.hits(texts)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(small.hits, [texts] * 8):
            assert np.array_equal(found, expected)
