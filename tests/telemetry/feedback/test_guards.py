"""What people said becomes rows only as far as nobody and nothing has too much weight."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.telemetry import Guards, Labelled, Sifted, sift
from assay.telemetry.feedback.guards import FEW

LABELS = ("ham", "spam")
OFF = Guards(key_share=1.0, subject_share=1.0, balance=1e6, near=False)
NUMBERS = count()


def row(label: str = "spam", text: str = "", **parts: object) -> Labelled:
    """Return a row whose text is like no other."""
    number = next(NUMBERS)
    draws = random.Random(number)
    made = text or " ".join("".join(draws.choices("abcdefghijklmnop", k=7)) for _ in range(6))
    values = {"decision": f"{number:032x}", "version": "1", "at": "", "keys": ("ann",), "reviewed": True}
    return Labelled(**{"text": made, "label": label, **values, **parts})  # type: ignore[arg-type]


def rows(times: int, label: str = "spam", **parts: object) -> list[Labelled]:
    """Return several rows."""
    return [row(label, **parts) for _ in range(times)]


def dropped(sifted: Sifted) -> list[int]:
    """Return how many rows were left out for each reason."""
    return list(sifted.dropped.values())


def test_labels_that_the_task_has_not_are_left_out() -> None:
    sifted = sift([row(), row("ham"), row("eggs")], LABELS, OFF)
    assert sifted.dropped == {"the task has no such label": 1}


def test_a_text_under_two_labels_is_left_out_and_one_that_repeats_kept_once() -> None:
    both = [row("spam", "Call  NOW"), row("ham", "call now")]
    same = [row("ham", "see you"), row("ham", "See you"), row("ham", "lunch?")]
    sifted = sift([*both, *same], LABELS, OFF)
    assert [each.text for each in sifted.rows] == ["see you", "lunch?"]
    assert dropped(sifted) == [2, 1]


def test_texts_that_nearly_repeat_another_are_kept_once() -> None:
    texts = [f"You have won a prize of 1,000 pounds, call {n} now to claim it!" for n in range(4711, 4721)]
    given_rows = [*(row("spam", text) for text in texts), row("ham")]
    near = Guards(key_share=1.0, subject_share=1.0, balance=1e6)
    assert dropped(sift(given_rows, LABELS, near)) == [9]
    assert dropped(sift(given_rows, LABELS, OFF)) == []


def test_one_client_has_its_share_of_what_stays_and_reviewers_have_any() -> None:
    client = rows(500, keys=("app",), reviewed=False)
    reviewer = rows(400, "ham")
    guards = Guards(subject_share=1.0, balance=1e6, near=False)
    sifted = sift([*client, *reviewer], LABELS, guards)
    given_by = Counter(each.keys for each in sifted.rows)
    assert given_by == {("app",): 100, ("ann",): 400}
    assert sifted.dropped == {"over 20% from one client's key": 400}
    again = sift([*reversed(client), *reviewer], LABELS, guards)
    assert again.rows == sifted.rows, "whatever the order that they come in"


def test_a_million_labels_of_one_client_alone_weigh_as_a_few() -> None:
    sifted = sift(rows(300, keys=("app",), reviewed=False), LABELS, Guards(near=False))
    assert len(sifted.rows) == FEW
    assert len(sift(rows(300, keys=("app",), reviewed=False), LABELS, OFF).rows) == 300


def test_a_row_that_clients_agree_on_weighs_on_the_one_with_the_fewest() -> None:
    agreed = rows(10, keys=("app", "bot"), reviewed=False)
    sifted = sift([*rows(200, keys=("app",), reviewed=False), *agreed], LABELS, Guards(near=False))
    assert Counter(each.keys for each in sifted.rows) == {("app",): FEW, ("app", "bot"): 10}


def test_one_subject_has_its_share() -> None:
    given_rows = [*rows(100, subject="x"), *rows(160), *rows(30, subject="y")]
    sifted = sift(given_rows, LABELS, Guards(key_share=1.0, balance=1e6, near=False))
    assert Counter(each.subject for each in sifted.rows) == {"x": 47, None: 160, "y": 30}
    assert sifted.dropped == {"over 20% from one subject": 53}


def test_the_frequent_label_has_so_many_times_the_rows_of_the_rarest() -> None:
    sifted = sift([*rows(100, "ham"), *rows(10)], LABELS, Guards(balance=3, near=False))
    assert Counter(each.label for each in sifted.rows) == {"ham": 30, "spam": 10}
    assert sifted.dropped == {"over 3 times the rarest label": 70}
    alone = sift(rows(50), LABELS, Guards(near=False))
    assert len(alone.rows) == 50
    assert "all of them are 'spam'" in alone.notes[0]
    three = sift([*rows(4, "ham"), *rows(4)], ("ham", "spam", "eggs"), OFF)
    assert three.notes == ["there are none with 'eggs'"]


def test_placeholders_are_noted_and_all_of_it_is_told() -> None:
    sifted = sift([row("spam", "write to [email] or [link]"), row("ham"), row("eggs")], LABELS, OFF)
    assert list(sifted.lines()) == [
        "  1 left out: the task has no such label",
        "  1 of the texts were redacted and hold placeholders like [link]",
    ]
    assert list(sift([], LABELS, OFF).lines()) == []


@given(
    st.lists(
        st.tuples(*map(st.sampled_from, ("abcd", (True, False), "xyz", LABELS))), max_size=120
    ),
    st.floats(0.05, 1.0), st.floats(1.0, 4.0), st.randoms(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_what_stays_keeps_to_every_guard(
    drawn: Sequence[tuple[str, bool, str, str]], share: float, times: float, order: random.Random
) -> None:
    given_rows = [
        row(label, keys=(key,), reviewed=reviewed, subject=subject) for key, reviewed, subject, label in drawn
    ]
    guards = Guards(key_share=share, subject_share=1.0, balance=times, near=False)
    sifted = sift(given_rows, LABELS, guards)
    assert len(given_rows) == len(sifted.rows) + sum(sifted.dropped.values())
    labels = Counter(each.label for each in sifted.rows)
    if len(labels) > 1:
        assert max(labels.values()) <= times * min(labels.values())
    shuffled = list(given_rows)
    order.shuffle(shuffled)
    assert sift(shuffled, LABELS, guards).rows == sifted.rows
    before = sift(given_rows, LABELS, Guards(key_share=share, subject_share=1.0, balance=1e6, near=False))
    clients = Counter(each.keys for each in before.rows if not each.reviewed)
    assert all(number <= max(FEW, share * len(before.rows)) for number in clients.values())


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_ends_of_a_share(share: float) -> None:
    client = rows(100, keys=("app",), reviewed=False)
    stays = len(sift(client, LABELS, Guards(key_share=share, near=False)).rows)
    assert stays == (FEW if share == 0.0 else 100)
