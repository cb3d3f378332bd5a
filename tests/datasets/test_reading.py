from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.config import MAX_TEXT_BYTES
from assay.datasets import Dataset
from assay.datasets.reading import fault_of_text, label_of, value_of
from assay.exceptions import ColumnError, DataError

Load = Callable[..., Dataset]


def write(path: Path, *rows: bytes, count: int = 60) -> Path:
    """Write a CSV of good rows of two labels, after the rows given."""
    good = [f"good message {n},{'spam' if n % 2 else 'ham'}".encode() for n in range(count)]
    path.write_bytes(b"\n".join([b"text,label", *rows, *good]) + b"\n")
    return path


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("hello", None),
        ("\0", None),
        (b"hello", None),
        ("x" * MAX_TEXT_BYTES, None),
        ("", "empty"),
        (" \n\u3000\t", "empty"),
        (None, "empty"),
        (3.5, "not_text"),
        (["a"], "not_text"),
        ("\ud800", "bad_utf8"),
        (b"caf\xe9", "bad_utf8"),
        ("x" * (MAX_TEXT_BYTES + 1), "too_long"),
        ("é" * (MAX_TEXT_BYTES // 2 + 1), "too_long"),
    ],
    ids=repr,
)
def test_a_text_is_usable_or_says_why_not(value: object, kind: str | None) -> None:
    assert fault_of_text(value) == kind


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (" ham ", "ham"),
        (1, "1"),
        (1.0, "1"),
        (0.5, "0.5"),
        (True, "true"),
        (float("nan"), ""),
        (None, ""),
        (b"ham", "ham"),
    ],
)
def test_a_label_is_text(value: object, label: str) -> None:
    assert label_of(value) == label


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (" web  form\n", "web form"),
        (7, "7"),
        (7.0, "7"),
        (True, "true"),
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "caf\\udce9"),
        ("\ud800", "\\ud800"),
        (["a", 1], "['a', 1]"),
        ("", "(empty)"),
        (" ", "(empty)"),
        (None, "(empty)"),
        (float("nan"), "(empty)"),
    ],
    ids=repr,
)
def test_a_cell_is_a_value_that_any_report_can_hold(cell: object, value: str) -> None:
    assert value_of(cell) == value
    assert value.encode()


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (b",ham", "empty"),
        (b'"  \n",ham', "empty"),
        (b"x" * (MAX_TEXT_BYTES + 1) + b",ham", "too_long"),
        (b"caf\xe9,ham", "bad_utf8"),
        (b"hello,h\xe9m", "bad_utf8"),
        (b"hello, you,ham", "ragged"),
        (b"hello", "ragged"),
        (b"hello, ", "no_label"),
    ],
)
def test_a_row_that_cannot_be_used_is_dropped_and_counted(
    tmp_path: Path, load: Load, row: bytes, kind: str
) -> None:
    dataset = load(write(tmp_path / "mail.csv", b"fine,ham", row))
    finding = dataset.audit.findings[0]
    assert (finding.kind, finding.count, finding.rows, finding.dropped) == (kind, 1, (2,), True)
    assert (dataset.audit.rows_read, dataset.audit.rows_kept) == (62, 61)
    assert sum(len(dataset.side(side)) for side in ("train", "validation", "test")) == 61


def test_lines_that_are_no_json_are_dropped_and_counted(tmp_path: Path, load: Load) -> None:
    good = [f'{{"text": "message {n}", "label": {n % 2}}}' for n in range(80)]
    (tmp_path / "mail.jsonl").write_text(
        "\n".join(["oops", "[1]", *good, '{"text": 3, "label": 1}', '{"label": 1}'])
    )
    audit = load(tmp_path / "mail.jsonl").audit
    assert [(finding.kind, finding.rows) for finding in audit.findings if finding.dropped] == [
        ("not_json", (1,)),
        ("not_object", (2,)),
        ("empty", (84,)),
        ("not_text", (83,)),
    ]


def test_numbers_in_the_place_of_texts_are_dropped(tmp_path: Path, load: Load) -> None:
    pq.write_table(pa.table({"text": [1, 2, 3], "label": ["a", "b", "a"]}), tmp_path / "mail.parquet")
    with pytest.raises(
        DataError, match=r"(?s)Two labels are needed, and the rows have none.*not_text: 3 dropped"
    ):
        load(tmp_path / "mail.parquet")


def test_an_unclosed_quote_stops_the_reading(tmp_path: Path, load: Load) -> None:
    path = tmp_path / "mail.csv"
    path.write_bytes(write(path).read_bytes() + b'"oh,ham\nlast,spam\n')
    with pytest.raises(
        DataError, match=r"In row 61 of .*mail\.csv a quote opens in this row, on or after line 62"
    ):
        load(path)


def test_unknown_labels_are_named_with_their_rows_and_what_is_allowed(tmp_path: Path, load: Load) -> None:
    path = write(tmp_path / "mail.csv", b"hello,Ham", b"fine,ham", b"hello,spm", b"well,spm")
    with pytest.raises(DataError, match=r"'spm', 'Ham'. Allowed: 'ham', 'spam'") as caught:
        load(path, labels=["ham", "spam"])
    assert "(rows 1, 3, 4)" in caught.value.message
    assert "[data.rename]" in caught.value.message
    assert caught.value.data["rows"] == [1, 3, 4]
    assert caught.value.data["allowed"] == ["ham", "spam"]


def test_labels_are_renamed_before_they_are_judged(tmp_path: Path, load: Load) -> None:
    dataset = load(
        write(tmp_path / "mail.csv"), labels=["good", "bad"], rename={"ham": "good", "spam": "bad"}
    )
    assert dataset.labels == ("bad", "good")


def test_a_missing_column_lists_those_that_exist(tmp_path: Path, load: Load) -> None:
    with pytest.raises(ColumnError, match=r"no column 'body'; its columns are \['text', 'label'\]"):
        load(write(tmp_path / "mail.csv"), text="body")


def test_imdb_csv_needs_no_options(tmp_path: Path, load: Load) -> None:
    rows = [f'"A film, <br /><br />number {n}",{"positive" if n % 2 else "negative"}' for n in range(80)]
    (tmp_path / "imdb.csv").write_text("\n".join(["review,sentiment", *rows]))
    dataset = load(tmp_path / "imdb.csv", labels=["negative", "positive"])
    assert dataset.audit.rows_kept == 80
    assert dataset.train.texts[0].startswith("A film, <br /><br />number")
