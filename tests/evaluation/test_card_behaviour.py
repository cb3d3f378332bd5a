from typing import Any

import pytest

from assay.evaluation import Interval, Report
from assay.evaluation.behaviour import BehaviourTest, Changed, MustPassCase
from assay.evaluation.card_behaviour import SHOWN, behaviour, must_pass
from tests.evaluation.made_up import random_report

REPORT = random_report(20, ["ham", "spam"]).model_copy(update={"behaviour": (), "must_pass": ()})


def tried(**more: Any) -> BehaviourTest:
    """Return a test of typos with some failures."""
    values = {
        "name": "typos",
        "kind": "invariance",
        "change": "letters swapped",
        "expected": "the label stays",
        "rows": 1500,
        "failures": Interval(value=0.1, low=0.08, high=0.12),
        "flips": 150,
        "shift": -0.02,
        "examples": (changed(), changed(before="one more", after="one more!"), changed(before="third")),
    }
    return BehaviourTest.model_validate(values | more)


def changed(**more: Any) -> Changed:
    """Return a text whose label changed with it."""
    values = {
        "before": "free | prize",
        "after": "fre | <b>prize",
        "labels": ("spam", "ham"),
        "scores": (0.9, 0.25),
    }
    return Changed.model_validate(values | more)


def case(**more: Any) -> MustPassCase:
    """Return a text that passed."""
    values = {
        "text": "claim your prize",
        "label": "spam",
        "decided": "spam",
        "decided_by": "rule",
        "confidence": 0.987654,
        "passed": True,
    }
    return MustPassCase.model_validate(values | more)


def card(report: Report, **parts: object) -> str:
    """Return the sections of a report with other parts."""
    changed = report.model_copy(update=parts)
    return "\n".join([*behaviour(changed), *must_pass(changed)])


def test_reports_without_behaviour_and_texts_have_no_sections() -> None:
    assert card(REPORT) == ""


def test_changes_are_a_table_with_failures_flips_and_shift() -> None:
    found = card(REPORT, behaviour=(tried(),))
    assert found.startswith("## Behaviour\n\nHeld-out texts were changed")
    assert "or of `spam` where" in found
    row = "| typos: letters swapped | the label stays | 1,500 | 0.1000 (0.0800 to 0.1200) | 150 | -0.0200 |"
    assert row in found.splitlines()


def test_what_is_only_measured_and_what_applies_to_no_row_show_no_share() -> None:
    undefined = Interval(value=None, reason="nothing is expected")
    measured = tried(name="link", change="", kind="direction", expected="", failures=undefined, flips=3)
    nowhere = tried(rows=0, failures=undefined, flips=0, shift=None, examples=())
    lines = card(REPORT, behaviour=(measured, nowhere)).splitlines()
    assert "| link | nothing | 1,500 |  | 3 | -0.0200 |" in lines
    assert "| typos: letters swapped | the label stays | 0 |  | 0 |  |" in lines
    assert "Link, with another label:" in lines
    assert not any(line.startswith("Typos,") for line in lines)


def test_two_examples_are_shown_that_no_mark_of_theirs_can_break() -> None:
    lines = card(REPORT, behaviour=(tried(),)).splitlines()
    at = lines.index("Typos, failing:")
    assert lines[at + 2 :] == [
        "- <code>free &#124; prize</code> as <code>fre &#124; &lt;b&gt;prize</code>: "
        "`spam` becomes `ham`, score 0.90 becomes 0.25",
        "- `one more` as `one more!`: `spam` becomes `ham`, score 0.90 becomes 0.25",
    ]
    stays = tried(examples=(changed(before="a", after="b", labels=("ham", "ham"), scores=(0.5, 0.7)),))
    assert "- `a` as `b`: stays `ham`, score 0.50 becomes 0.70" in card(REPORT, behaviour=(stays,))


def test_texts_that_must_pass_are_a_table() -> None:
    found = card(REPORT, must_pass=(case(),))
    assert "\n\nTexts whose label is not open to debate: 1, of which none failed.\n\n" in found
    assert "| `claim your prize` | `spam` | `spam` | rule | 0.9877 | yes |" in found.splitlines()


def test_what_decided_cannot_break_the_table() -> None:
    found = card(REPORT, must_pass=(case(decided_by="rule | <b>x"),))
    assert "| rule &#124; &lt;b&gt;x | 0.9877 | yes |" in found


def test_texts_that_failed_are_counted_and_marked() -> None:
    unscored = case(
        text="\t", decided="cannot be scored: it is empty", decided_by="", confidence=0, passed=False
    )
    wrong = case(decided="ham", decided_by="model", confidence=0.5, passed=False)
    found = card(REPORT, must_pass=(case(), wrong, unscored))
    assert "Texts whose label is not open to debate: 3, of which 2 failed." in found
    assert "| `claim your prize` | `spam` | `ham` | model | 0.5000 | **no** |" in found
    assert "| `spam` | cannot be scored: it is empty |  |  | **no** |" in found


@pytest.mark.parametrize(("length", "shown"), [(SHOWN, "a" * SHOWN), (SHOWN + 1, "a" * SHOWN + "…")])
def test_long_texts_that_must_pass_are_cut(length: int, shown: str) -> None:
    assert f"| `{shown}` |" in card(REPORT, must_pass=(case(text="a" * length),))
