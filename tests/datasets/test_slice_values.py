"""The columns that reports are sliced by, from a file to the sides of a dataset."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.datasets import Dataset
from assay.exceptions import ColumnError

Load = Callable[..., Dataset]
Row = dict[str, object]
SIDES = ("train", "validation", "test")
FILLERS: list[Row] = [{"text": f"filler {n}", "label": "xy"[n % 2], "source": f"f{n % 3}"} for n in range(60)]
SPLIT = {side: [row | {"text": f"{side} {row['text']}"} for row in FILLERS] for side in ("train", "test")}


def write(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_split(folder: Path, without: tuple[str, ...] = ()) -> Path:
    """Write a file a side, those of ``without`` lacking the column ``source``; return their common name."""
    for side, rows in SPLIT.items():
        kept = [{k: v for k, v in row.items() if side not in without or k != "source"} for row in rows]
        write(folder / f"mail_{side}.jsonl", kept)
    return folder / "mail_*.jsonl"


VALUES = st.sampled_from(["web", " mail ", "", None, 7])
SHORT = st.sampled_from(["a", "A", "b", "c", "c ", "", "d"])
ROWS = st.lists(st.tuples(SHORT, st.sampled_from("xy"), VALUES, VALUES), max_size=15)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS, st.sampled_from(["drop", "keep"]))
def test_every_row_keeps_its_values_on_every_side(
    tmp_path: Path, load: Load, given_rows: list[tuple[str, str, object, object]], duplicates: str
) -> None:
    # The first value repeats the text, so that a row that took another's would be seen.
    rows: list[Row] = [
        {"text": text, "label": label, "day": f"{text}{label}", "source": source, "more": more}
        for text, label, source, more in given_rows
    ]
    fillers = [row | {"day": f"{row['text']}{row['label']}", "more": 1} for row in FILLERS]
    path = write(tmp_path / "a.jsonl", fillers + rows)
    dataset = load(path, slices=["day", "more"], duplicates=duplicates)
    assert all(list(dataset.side(side).columns) == ["day", "more", "source"] for side in SIDES)
    for held in (*map(dataset.side, SIDES), dataset.training):
        expected = [
            " ".join(f"{text}{label}".split()) for text, label in zip(held.texts, held.labels, strict=True)
        ]
        assert held.columns["day"] == expected
        assert set(held.columns["source"]) <= {"f0", "f1", "f2", "web", "mail", "(empty)", "7"}
    of_first = [
        held.columns["source"][at]
        for held in map(dataset.side, SIDES)
        for at in range(len(held))
        if held.texts[at] == "filler 1"
    ]
    assert of_first == ["f1"]


def test_the_columns_of_a_csv_and_a_parquet_file_are_the_same(tmp_path: Path, load: Load) -> None:
    names = ["text", "label", "Source", "count"]
    cells = [[row["text"], row["label"], row["source"], n % 4] for n, row in enumerate(FILLERS)]
    (tmp_path / "a.csv").write_text("\n".join(",".join(map(str, row)) for row in [names, *cells]) + "\n")
    columns = dict(zip(names, map(list, zip(*cells, strict=True)), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    one, two = (load(tmp_path / name, slices=["count"]).test for name in ("a.csv", "a.parquet"))
    assert one.columns == two.columns
    assert (list(one.columns), set(one.columns["count"])) == (["count", "source"], {"0", "1", "2", "3"})


def test_a_json_line_without_the_key_is_empty(tmp_path: Path, load: Load) -> None:
    rows = [*FILLERS[:40], *({"text": row["text"], "label": row["label"]} for row in FILLERS[40:])]
    dataset = load(write(tmp_path / "a.jsonl", rows))
    everything = [value for side in SIDES for value in dataset.side(side).columns["source"]]
    assert everything.count("(empty)") == 20


def test_every_part_of_a_source_has_its_values(tmp_path: Path, load: Load) -> None:
    dataset = load(write_split(tmp_path))
    assert all(list(dataset.side(side).columns) == ["source"] for side in SIDES)


@pytest.mark.parametrize("side", ["train", "test"])
def test_a_source_that_one_part_lacks_is_left_out_of_all(tmp_path: Path, load: Load, side: str) -> None:
    dataset = load(write_split(tmp_path, (side,)))
    assert all(dataset.side(each).columns == {} for each in SIDES)
    assert len(dataset.test) == 60


def test_a_column_that_was_asked_for_must_be_in_every_part(tmp_path: Path, load: Load) -> None:
    with pytest.raises(ColumnError, match=r"mail_test.jsonl has no column 'source'"):
        load(write_split(tmp_path, ("test",)), slices=["source"])


def test_a_column_may_be_asked_for_twice(tmp_path: Path, load: Load) -> None:
    dataset = load(write(tmp_path / "a.jsonl", FILLERS), slices=["source", "source"])
    assert list(dataset.test.columns) == ["source"]


def test_a_folder_of_texts_has_no_columns_to_slice_by(tmp_path: Path, load: Load) -> None:
    for label in ("pos", "neg"):
        (tmp_path / "texts" / label).mkdir(parents=True)
        for number in range(40):
            (tmp_path / "texts" / label / f"{number}.txt").write_text(f"{label} film {number}")
    assert load(tmp_path / "texts").test.columns == {}
    with pytest.raises(ColumnError, match=r"no column 'source'"):
        load(tmp_path / "texts", slices=["source"])
