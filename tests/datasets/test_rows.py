import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets import Dataset, Rows

Load = Callable[..., Dataset]
SMALL = st.lists(st.tuples(*[st.sampled_from(["a", "b", "c"])] * 4), max_size=12)


def rows_of(rows: list[tuple[str, str, str, str]]) -> Rows:
    texts, labels, sources, days = ([row[at] for row in rows] for at in range(4))
    return Rows(texts, labels, {"source": sources, "day": days})


def in_order(rows: Rows) -> list[tuple[str, ...]]:
    columns = (rows.texts, rows.labels, *(rows.columns[name] for name in sorted(rows.columns)))
    return [tuple(column[at] for column in columns) for at in rows.order]


@given(SMALL.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_depends_on_nothing_but_what_the_rows_are(
    pair: tuple[list[tuple[str, str, str, str]], list[tuple[str, str, str, str]]],
) -> None:
    one, two = map(rows_of, pair)
    assert sorted(one.order) == list(range(len(one)))
    assert in_order(one) == in_order(two)
    names = {"day": two.columns["day"], "source": two.columns["source"]}
    assert in_order(Rows(two.texts, two.labels, names)) == in_order(one)


@given(SMALL)
def test_columns_do_not_move_rows_that_differ(rows: list[tuple[str, str, str, str]]) -> None:
    held = rows_of(rows)
    plain = Rows(held.texts, held.labels)
    assert [row[:2] for row in in_order(held)] == in_order(plain)
    assert held.fingerprint == plain.fingerprint


@given(SMALL, SMALL)
def test_a_sum_has_the_columns_of_both(
    first: list[tuple[str, str, str, str]], second: list[tuple[str, str, str, str]]
) -> None:
    total = rows_of(first) + rows_of(second)
    assert total == rows_of(first + second)
    less = Rows(total.texts, total.labels, {"day": total.columns["day"], "more": total.texts})
    assert list((rows_of(first) + less).columns) == list((less + rows_of(first)).columns) == ["day"]


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 texts for 1 labels or values"):
        Rows(["a", "b"], ["x", "y"], {"source": ["web"]})


def test_a_dataset_tells_which_test_rows_resemble_training_rows(tmp_path: Path, load: Load) -> None:
    template = "you have won a prize, call the number {} before the evening"
    rows = [{"text": template.format(1000 + n), "label": "spam"} for n in range(80)]
    rows += [{"text": f"{n * 7919} lunch at {n * 104729}", "label": "ham"} for n in range(80)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset = load(tmp_path / "a.jsonl")
    assert dataset.near.tolist() == [label == "spam" for label in dataset.test.labels]
    assert {True, False} == set(dataset.near.tolist())
