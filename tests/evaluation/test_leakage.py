import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.datasets import Rows
from assay.evaluation.leakage import Leakage, leakage_of
from assay.evaluation.rowwise import rowwise
from assay.evaluation.slices import groups_of, slices_of

Row = tuple[int, int, bool, bool]
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.booleans(), st.booleans()), max_size=25)


def found(
    rows: list[Row], *, order: list[int] | None = None, known: tuple[bool, bool] = (True, True)
) -> Leakage:
    """Return the leakage of rows (truth, decision, seen, near), of which some masks are known."""
    order = order if order is not None else list(range(len(rows)))
    truth, decided = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
    seen, near = (np.array([row[at] for row in rows], np.bool_) for at in (2, 3))
    return leakage_of(
        rowwise(truth, decided, {}, order=order),
        order=order,
        seen=seen if known[0] else None,
        near=near if known[1] else None,
        labels=2,
        positive=1,
        resamples=50,
        seed=0,
    )


@settings(deadline=None)
@given(ROWS, st.randoms(), st.tuples(st.booleans(), st.booleans()))
def test_rows_that_were_seen_or_nearly_so_are_counted_and_set_apart(
    rows: list[Row], chance: random.Random, known: tuple[bool, bool]
) -> None:
    order = list(range(len(rows)))
    chance.shuffle(order)
    one = found(rows, order=order, known=known)
    assert one.rows == len(rows)
    assert one.seen == (sum(row[2] for row in rows) if known[0] else None)
    assert one.near == (sum(row[3] for row in rows) if known[1] else None)
    apart = [row for row in rows if not (known[0] and row[2]) and not (known[1] and row[3])]
    if not any(known):
        assert one.accuracy_apart is one.f1_apart is None
        return
    assert one.accuracy_apart is not None
    assert one.f1_apart is not None
    if apart:
        assert one.accuracy_apart.value == sum(row[0] == row[1] for row in apart) / len(apart)
        hits, around = sum(row[0] & row[1] for row in apart), sum(row[0] + row[1] for row in apart)
        assert one.f1_apart.value == (pytest.approx(2 * hits / around) if around else None)
    else:
        reason = (
            "there are no rows" if not rows else "every row was seen in training or resembles a training row"
        )
        assert one.accuracy_apart.reason == one.f1_apart.reason == reason


SEEN, NEAR, FRESH = (1, 1, True, False), (1, 1, False, True), (1, 0, False, False)


@pytest.mark.parametrize(
    ("rows", "known", "lines"),
    [
        (
            [NEAR, FRESH, (0, 0, False, False), (1, 1, False, False)],
            (True, True),
            [
                "Held-out rows that the model was trained on: 0 of 4",
                "Held-out rows that nearly repeat a training row: 1 of 4 (25.00%)",
                "Without these: accuracy 0.6667 (0.0943 to 0.9916), F1 0.6667 (0.0000 to 1.0000)",
            ],
        ),
        (
            [SEEN, NEAR],
            (True, True),
            [
                "Held-out rows that the model was trained on: 1 of 2 (50.00%)",
                "Held-out rows that nearly repeat a training row: 1 of 2 (50.00%)",
                "Without these: accuracy undefined, F1 undefined",
            ],
        ),
        ([FRESH], (True, True), [
            "Held-out rows that the model was trained on: 0 of 1",
            "Held-out rows that nearly repeat a training row: 0 of 1",
        ]),
        ([FRESH], (True, False), ["Held-out rows that the model was trained on: 0 of 1"]),
        ([FRESH], (False, False), [
            "Whether the model was trained on held-out rows is not known: its artifact does not say",
        ]),
        ([], (True, True), [
            "Held-out rows that the model was trained on: 0 of 0",
            "Held-out rows that nearly repeat a training row: 0 of 0",
        ]),
    ],
)  # fmt: skip
def test_leakage_is_told_in_lines(rows: list[Row], known: tuple[bool, bool], lines: list[str]) -> None:
    assert list(found(rows, known=known).lines()) == lines


def test_rows_apart_have_the_figures_of_their_slice() -> None:
    rng = np.random.default_rng(1)
    texts, labels = [f"text {n}" for n in range(90)], rng.choice(["ham", "spam"], 90).tolist()
    rows, none, near = Rows(texts, labels), np.zeros(90, np.bool_), rng.random(90) < 0.3
    groups = groups_of(rows, near=near, ruled=none)
    kept = rowwise(rng.integers(0, 2, 90), rng.integers(0, 2, 90), groups, order=rows.order)
    judge = {"labels": 2, "positive": 1, "resamples": 50, "seed": 4}
    one = leakage_of(kept, order=rows.order, seen=none, near=near, **judge)
    [apart] = [
        each for each in slices_of(kept, **judge) if (each.by, each.value) == ("resembles training", "no")
    ]
    assert (one.accuracy_apart, one.f1_apart) == (apart.accuracy, apart.f1)


def test_the_same_seed_gives_the_same_leakage() -> None:
    rows = [SEEN, NEAR, FRESH] * 20 + [(0, 1, False, False), (1, 1, False, False)] * 20
    assert found(rows) == found(rows)
    assert Leakage.model_validate_json(found(rows).model_dump_json()) == found(rows)
