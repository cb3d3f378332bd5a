import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.datasets import Dataset, normalise
from assay.exceptions import DataError

Load = Callable[..., Dataset]
SIDES = ("train", "validation", "test")
FILLERS = [(f"filler {n}", "xy"[n % 2]) for n in range(60)]
TEXTS = st.text(min_size=1, max_size=6).filter(lambda text: not text.isspace()) | st.sampled_from(
    ["Hi", "hi ", "HI"]
)
ROWS = st.lists(st.tuples(TEXTS, st.sampled_from("xy")), max_size=15)


def write(path: Path, rows: list[tuple[str, str]]) -> Path:
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
    return path


def side_by_text(dataset: Dataset) -> dict[str, set[str]]:
    sides: dict[str, set[str]] = {}
    for side in SIDES:
        for text in dataset.side(side).texts:
            sides.setdefault(normalise(text), set()).add(side)
    return sides


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS, ROWS, st.sampled_from(["drop", "keep"]))
def test_adding_rows_moves_none_and_equal_texts_share_a_side(
    tmp_path: Path, load: Load, first: list[tuple[str, str]], later: list[tuple[str, str]], duplicates: str
) -> None:
    before = side_by_text(load(write(tmp_path / "a.jsonl", first + FILLERS), duplicates=duplicates))
    after = side_by_text(load(write(tmp_path / "b.jsonl", first + FILLERS + later), duplicates=duplicates))
    assert all(len(sides) == 1 for sides in after.values())
    assert all(after[text] == sides for text, sides in before.items() if text in after)


def test_order_and_place_of_rows_change_nothing(tmp_path: Path, load: Load) -> None:
    one = load(write(tmp_path / "a.jsonl", FILLERS))
    two = load(write(tmp_path / "b.jsonl", FILLERS[::-1]))
    assert one.fingerprint == two.fingerprint
    assert one.test.fingerprint == two.test.fingerprint


def test_a_salt_makes_another_split_of_the_same_rows(tmp_path: Path, load: Load) -> None:
    path = write(tmp_path / "a.jsonl", FILLERS)
    one, two = load(path), load(path, salt="another")
    assert sorted(one.training.texts + one.test.texts) == sorted(two.training.texts + two.test.texts)
    assert one.fingerprint != two.fingerprint
    assert load(path, salt="mine").fingerprint == one.fingerprint


def test_a_dataset_tells_its_rows_by_side_and_label(tmp_path: Path, load: Load) -> None:
    dataset = load(write(tmp_path / "a.jsonl", FILLERS))
    assert dataset.labels == ("x", "y")
    assert {side: sum(counts.values()) for side, counts in dataset.counts().items()} == {
        side: len(dataset.side(side)) for side in SIDES
    }
    assert dataset.training.texts == dataset.train.texts + dataset.validation.texts
    assert len(dataset.training) + len(dataset.test) == 60
    assert dataset.source.endswith("a.jsonl")


def test_a_small_class_is_reported_by_side(tmp_path: Path, load: Load) -> None:
    dataset = load(write(tmp_path / "a.jsonl", FILLERS))
    found = [finding.message for finding in dataset.audit.findings if finding.kind == "too_few"]
    assert any(f"'x' has {dataset.counts()['test']['x']} rows on the test side" in line for line in found)


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        ([("hello", "x"), ("bye", "x")], None, "Two labels are needed, and the rows have 'x'"),
        ([("", "x"), ("", "y")], None, "Two labels are needed, and the rows have none"),
        (FILLERS, ["x", "y", "z"], "No row is left to train on for 'z'"),
        ([("", "x"), ("", "y")], ["x", "y"], "No row is left, so nothing could be learned or measured"),
    ],
)
def test_rows_that_cannot_be_learned_from_are_refused_with_the_account(
    tmp_path: Path, load: Load, rows: list[tuple[str, str]], labels: list[str] | None, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load(write(tmp_path / "a.jsonl", rows), labels=labels)
    assert f"{len(rows)} rows read" in caught.value.message
    assert caught.value.data["audit"].rows_read == len(rows)


def test_a_test_side_without_rows_is_refused(tmp_path: Path, load: Load) -> None:
    with pytest.raises(DataError, match="No row is left on the test side"):
        load(write(tmp_path / "a.jsonl", FILLERS), test=1e-9)


def test_texts_taken_for_labels_are_told_in_one_line(tmp_path: Path, load: Load) -> None:
    rows = [(f"some text {n}", f"another text {n} {'x' * 500}") for n in range(101)]
    with pytest.raises(
        DataError, match=r"has 101 different labels, such as 'another text 0 x+; at most 100"
    ) as caught:
        load(write(tmp_path / "a.jsonl", rows))
    assert len(caught.value.message) < 400
    few = [(f"text {n}", f"label {n % 100}") for n in range(4000)]
    assert len(load(write(tmp_path / "b.jsonl", few)).labels) == 100
