from collections.abc import Callable, Sequence

import numpy as np
import pytest

from assay.config import BehaviourConfig
from assay.datasets import Rows
from assay.estimators import Cascade, share_bounds
from assay.evaluation.behaviour import BehaviourTest, run_behaviour
from assay.evaluation.behaviour.changes import CHANGES
from assay.evaluation.behaviour.excerpts import LED_BY, SHOWN, excerpts
from assay.evaluation.behaviour.run import EXAMPLES, TOLERANCE
from assay.evaluation.behaviour.typos import add_typos
from tests.corpus import ABUSE_GROUPS, SPAM_GROUPS, labelled
from tests.evaluation.made_up import Tuned, cascade_of

ALL = BehaviourConfig()


class Reader:
    """A model that reads the probability of the last label off a text, and remembers what it read."""

    def __init__(self, score: Callable[[str], float]) -> None:
        self.score = score
        self.read: list[str] = []

    def predict_proba(self, texts: Sequence[str]) -> np.ndarray:
        self.read.extend(texts)
        scores = np.array([self.score(text) for text in texts])
        return np.column_stack([1 - scores, scores])


def reading(score: Callable[[str], float]) -> Cascade:
    """Return a cascade of the labels ham and spam that reads the score of spam off a text."""
    return cascade_of(Reader(score), ["ham", "spam"], "spam", 0.5)


def found(name: str, cascade: Cascade, texts: Sequence[str], **config: object) -> BehaviourTest:
    """Return one test of a cascade on texts."""
    rows = Rows(list(texts), ["ham"] * len(texts))
    [test] = [each for each in run_behaviour(cascade, rows, BehaviourConfig(**config)) if each.name == name]
    return test


def test_every_change_is_tried_on_at_most_the_rows_asked_for(spam_cascade: Cascade) -> None:
    rows = Rows(*labelled(SPAM_GROUPS, 60, seed=3))
    tests = run_behaviour(spam_cascade, rows, BehaviourConfig(rows=25))
    assert [test.name for test in tests] == [change.name for change in CHANGES]
    applies = {change.name: sum(change(text) is not None for text in rows.texts) for change in CHANGES}
    assert {test.name: test.rows for test in tests} == {name: min(25, n) for name, n in applies.items()}
    assert applies["typos"] > 25
    assert applies["names"] == 0


def test_the_order_of_the_rows_changes_nothing(spam_cascade: Cascade) -> None:
    texts, labels = labelled(SPAM_GROUPS, 40, seed=3)
    once = run_behaviour(spam_cascade, Rows(texts, labels), BehaviourConfig(rows=10))
    assert once == run_behaviour(spam_cascade, Rows(texts[::-1], labels[::-1]), BehaviourConfig(rows=10))


def test_the_rows_are_the_first_of_their_order_that_a_change_applies_to() -> None:
    cascade = reading(lambda _: 0.2)
    texts = [f"is it Tom {number}" if number % 3 else f"nobody {number}" for number in range(40)]
    rows = Rows(texts, ["ham"] * 40)
    run_behaviour(cascade, rows, BehaviourConfig(rows=5))
    asked = [texts[place] for place in rows.order if "Tom" in texts[place]]
    assert set(asked[:5]) <= set(cascade.model.read)
    assert len(cascade.model.read) == len(set(cascade.model.read))


def test_a_label_that_changes_breaks_an_invariance() -> None:
    texts = [f"hello Ann{number}" for number in range(3)] + [f"hello {number}" for number in range(5)]
    cascade = reading(lambda text: 0.9 if text.isupper() and "ANN" in text else 0.3)
    test = found("capitals", cascade, texts)
    assert (test.kind, test.rows, test.flips, test.expected) == ("invariance", 8, 3, "the label stays")
    assert test.failures.value == 3 / 8
    assert (test.failures.low, test.failures.high) == share_bounds(3, 8)
    # Ham was given, so its score is looked at.
    assert test.shift == pytest.approx(3 / 8 * -0.6)
    assert [example.labels for example in test.examples] == [("ham", "spam")] * 3
    assert test.examples[0].scores == pytest.approx((0.7, 0.1))


@pytest.mark.parametrize(
    ("expected", "before", "after", "fails"),
    [
        ("up", 0.6, 0.45, True),
        ("up", 0.6, 0.55, False),
        ("up", 0.6, 0.95, False),
        ("down", 0.3, 0.45, True),
        ("down", 0.3, 0.35, False),
        ("down", 0.3, 0.05, False),
        ("away", 0.6, 0.75, True),
        ("away", 0.6, 0.65, False),
        ("away", 0.6, 0.10, False),
        ("away", 0.3, 0.15, True),
        ("away", 0.3, 0.25, False),
        ("away", 0.3, 0.90, False),
    ],
)
def test_a_score_that_moves_against_what_is_expected_fails(
    expected: str, before: float, after: float, fails: bool
) -> None:
    cascade = reading(lambda text: after if "not" in text else before)
    test = found("negation", cascade, ["it is new", "you are here"], negation=expected)
    assert (test.kind, test.rows) == ("direction", 2)
    assert test.failures.value == float(fails)
    sign = -1 if expected == "away" and before < 0.5 else 1
    assert test.shift == pytest.approx(sign * (after - before))
    assert test.flips == (2 if (before < 0.5) != (after < 0.5) else 0)
    label = {"away": "the label given", "up": "'spam' falls", "down": "'spam' rises"}[expected]
    assert label in test.expected
    assert str(TOLERANCE) in test.expected


def test_what_a_link_should_do_is_asked_of_the_task() -> None:
    cascade = reading(lambda text: 0.4 if "://" in text else 0.2)
    assert found("link", cascade, ["hello"], link="up").failures.value == 0
    assert found("link", cascade, ["hello"], link="down").failures.value == 1
    assert found("link", cascade, ["hello"], negation="down").failures.value is None


def test_nothing_is_expected_of_what_is_only_measured() -> None:
    cascade = reading(lambda text: 0.8 if "not" in text else 0.2)
    test = found("negation", cascade, ["it is new"])
    assert (test.expected, test.failures.value, test.failures.reason) == ("", None, "nothing is expected")
    assert (test.flips, test.shift) == (1, pytest.approx(0.6))
    [example] = test.examples
    assert (example.before, example.after, example.labels) == ("it is new", "it is not new", ("ham", "spam"))


def test_a_change_that_applies_to_no_row_says_so(spam_cascade: Cascade) -> None:
    test = found("names", spam_cascade, ["hello"])
    assert (test.rows, test.flips, test.shift, test.examples) == (0, 0, None, ())
    assert test.failures.reason == "the change applies to no row"
    assert list(test.lines()) == []
    assert all(each.rows == 0 for each in run_behaviour(spam_cascade, Rows([], []), ALL))


def test_examples_are_the_failures_that_moved_furthest() -> None:
    cascade = reading(
        lambda text: 0.5 + int(text.split()[1].rstrip(".")) / 100 if text.endswith(".") else 0.2
    )
    test = found("punctuation", cascade, [f"hello {number}" for number in range(20)])
    assert test.flips == 20
    assert [example.after for example in test.examples] == ["hello 19.", "hello 18.", "hello 17."]
    assert len(test.examples) == EXAMPLES


def test_where_nothing_fails_the_examples_are_flips() -> None:
    cascade = reading(lambda text: 0.55 if "not" in text and "old" in text else 0.48)
    test = found("negation", cascade, ["it is new", "it is old"], negation="down")
    assert (test.failures.value, test.flips) == (0, 1)
    assert [example.before for example in test.examples] == ["it is old"]
    steady = found("negation", cascade, ["it is new"], negation="down")
    assert steady.examples == ()


def test_a_label_that_a_rule_gives_counts_as_certain(tuned_spam: Tuned) -> None:
    # The rule knows small letters only, so that the model decides the capitals.
    small, large = "a cash prize, call for it", "A CASH PRIZE, CALL FOR IT"
    judged = tuned_spam.cascade.judge([small, large])
    assert (judged.rules >= 0).tolist() == [True, False]
    test = found("capitals", tuned_spam.cascade, [small])
    assert test.rows == 1
    assert test.shift == judged.probabilities[1, 1] - 1
    assert test.flips == (judged.labels[1] != "spam")


def test_more_than_two_labels_have_a_positive_one_too(abuse_cascade: Cascade) -> None:
    rows = Rows(*labelled(ABUSE_GROUPS, 30))
    tests = {test.name: test for test in run_behaviour(abuse_cascade, rows, BehaviourConfig(link="up"))}
    link, typos = tests["link"], tests["typos"]
    assert "'hate_speech'" in link.expected
    assert link.rows == 90
    assert link.failures.value is not None
    texts = [text for text in (rows.texts[place] for place in rows.order) if add_typos(text)]
    before, after = (abuse_cascade.judge(each) for each in (texts, [add_typos(text) for text in texts]))
    given = [abuse_cascade.labels.index(label) for label in before.labels]
    moved = after.probabilities[range(len(texts)), given] - before.probabilities[range(len(texts)), given]
    assert (typos.rows, typos.shift) == (len(texts), pytest.approx(moved.mean()))


def test_a_test_survives_json(spam_cascade: Cascade) -> None:
    rows = Rows(*labelled(SPAM_GROUPS, 30, seed=3))
    for test in run_behaviour(spam_cascade, rows, BehaviourConfig(negation="away")):
        assert BehaviourTest.model_validate_json(test.model_dump_json()) == test


def test_a_test_is_told_in_one_line() -> None:
    cascade = reading(lambda text: 0.9 if text.isupper() else 0.3)
    [line] = found("capitals", cascade, ["hello"]).lines()
    assert (
        line
        == "Behaviour, capitals: 1 row changed, the label of 1; share that fails 1.0000 (0.0250 to 1.0000)"
    )
    [line] = found("link", cascade, ["hello", "you"]).lines()
    assert line == "Behaviour, link: 2 rows changed, the label of 0; nothing is expected"


@pytest.mark.parametrize("place", [0, 10, LED_BY, LED_BY + 1, 2000, 4999])
def test_long_texts_are_shown_around_their_first_difference(place: int) -> None:
    before = "".join(chr(97 + number % 26) for number in range(5000))
    after = f"{before[:place]}#{before[place + 1 :]}"
    shown = excerpts(before, after)
    assert "#" in shown[1]
    assert all(len(part) <= SHOWN + 2 for part in shown)
    assert shown[0].strip("…") in before
    assert shown[0].startswith("…") == (place > LED_BY)
    assert shown[0].endswith("…") == (place < 5000 - SHOWN + LED_BY)


def test_texts_that_fit_are_shown_whole() -> None:
    assert excerpts("a" * SHOWN, "b") == ("a" * SHOWN, "b")
    before, after = excerpts("a" * 500, "a" * 500 + " link")
    assert before == "…" + "a" * LED_BY
    assert after == "…" + "a" * LED_BY + " link"
