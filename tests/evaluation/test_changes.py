from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets import Rows
from assay.estimators import NO_RULES, Cascade
from assay.evaluation import changes_between
from assay.exceptions import DataError
from tests.corpus import SPAM_GROUPS, labelled
from tests.evaluation.made_up import Table, Tuned, cascade_of

HAM_FIRST, SPAM_FIRST = ("ham", "spam"), ("spam", "ham")


def sides(scores: list[tuple[float, float]]) -> tuple[Cascade, Cascade, list[str]]:
    """Return two cascades that give texts these probabilities of spam, and the texts."""
    texts = [f"text {number}" for number in range(len(scores))]
    tables = [
        Table({text: (1 - pair[side], pair[side]) for text, pair in zip(texts, scores, strict=True)})
        for side in (0, 1)
    ]
    first, second = (cascade_of(table, HAM_FIRST, "spam", 0.5) for table in tables)
    return first, second, texts


def test_flips_come_first_then_the_largest_moves() -> None:
    first, second, texts = sides([(0.1, 0.45), (0.49, 0.51), (0.9, 0.9), (0.2, 0.8)])
    found = changes_between(first, second, Rows(texts, ["ham", "spam", "spam", "ham"]))
    assert [change.text for change in found.largest] == ["text 3", "text 1", "text 0"]
    assert (found.rows, found.flips, found.mended, found.broken) == (4, 2, 1, 1)
    assert found.largest[0].moved == pytest.approx(0.6)
    assert (found.largest[0].first.label, found.largest[0].second.label) == ("ham", "spam")
    assert next(iter(found.lines())) == "2 of 4 decisions differ (50.00%): 1 mended, 1 broken."


def test_lines_say_what_became_of_each_text() -> None:
    first, second, texts = sides([(0.9, 0.1), (0.1, 0.9), (0.6, 0.7), (0.6, 0.8)])
    found = changes_between(first, second, Rows(texts, ["spam", "spam", "spam", "ham"]))
    lines = [line.split() for line in list(found.lines())[2:]]
    assert {line[-1]: line[0] for line in lines} == {"0": "broken", "1": "mended", "2": "right", "3": "wrong"}
    assert "spam (0.9000) -> ham (0.9000)  truly spam: text 0" in "\n".join(found.lines())


def test_a_long_text_with_breaks_is_one_short_line() -> None:
    text = "first line\nsecond\u2028line\x1b[2J " + "word " * 100
    rows = {text: (0.9, 0.1)}, {text: (0.1, 0.9)}
    first, second = (cascade_of(Table(table), HAM_FIRST, "spam", 0.5) for table in rows)
    (*_, line) = changes_between(first, second, Rows([text], ["spam"])).lines()
    assert line.endswith("…")
    assert "\n" not in line
    assert "\x1b" not in line
    assert len(line) < 200


def test_the_order_of_labels_does_not_matter() -> None:
    first, _, texts = sides([(0.2, 0.2), (0.8, 0.8)])
    turned = Table({text: (row[1], row[0]) for text, row in first.model.rows.items()})  # type: ignore[attr-defined]
    second = cascade_of(turned, SPAM_FIRST, "spam", 0.5)
    found = changes_between(first, second, Rows(texts, ["ham", "spam"]))
    assert (found.flips, found.largest) == (0, ())


def test_other_labels_cannot_be_compared() -> None:
    first, _, texts = sides([(0.2, 0.2)])
    other = cascade_of(Table({texts[0]: (1.0, 0.0)}), ("ham", "junk"), "junk", 0.5)
    with pytest.raises(DataError, match=r"different labels, \['ham', 'spam'\] and \['ham', 'junk'\]"):
        changes_between(first, other, Rows(texts, ["ham"]))


def test_no_rows_are_said_so() -> None:
    first, second, _ = sides([])
    assert list(changes_between(first, second, Rows([], [])).lines()) == [
        "There are no rows to compare decisions on."
    ]


def test_a_rule_is_named_where_it_decides(tuned_spam: Tuned, held_out: Rows) -> None:
    bare = replace(tuned_spam.cascade, rules=NO_RULES)
    found = changes_between(bare, tuned_spam.cascade, held_out)
    rules = {rule.id for rule in tuned_spam.cascade.rules.deciding}
    ruled = [change for change in found.largest if change.second.decided_by != "model"]
    assert ruled
    assert {change.second.decided_by for change in ruled} <= rules
    assert all(change.second.score == 1.0 for change in ruled)
    assert f"(rule {ruled[0].second.decided_by})" in ruled[0].line()


@given(st.permutations(range(40)))
def test_the_order_of_the_rows_changes_nothing(order: list[int]) -> None:
    texts, labels = labelled(SPAM_GROUPS, 20)
    rng = np.random.default_rng(4)
    first, second = (
        cascade_of(
            Table({text: (1 - p, p) for text, p in zip(texts, rng.random(40).round(1), strict=True)}),
            HAM_FIRST, "spam", 0.5,
        )
        for _ in range(2)
    )  # fmt: skip
    turned = Rows([texts[at] for at in order], [labels[at] for at in order])
    assert changes_between(first, second, turned) == changes_between(first, second, Rows(texts, labels))
