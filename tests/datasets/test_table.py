import gzip
import io
from pathlib import Path

import pytest

from assay.datasets import read_table
from assay.datasets.table import MAX_ROW
from assay.exceptions import ColumnError, DataError


def cells_of(path: Path) -> list[list[str]]:
    with read_table(path) as table:
        return [list(row.cells) for row in table]


def test_formats_are_known_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.CSV").write_text("text,label\nhello,ham\n")
    (tmp_path / "b.tsv").write_text("text\tlabel\nhello\tham\n")
    (tmp_path / "c.ndjson").write_text('{"text": "hello", "label": "ham"}\n')
    for name in ("a.CSV", "b.tsv", "c.ndjson"):
        assert cells_of(tmp_path / name) == [["hello", "ham"]]


def test_an_unknown_ending_lists_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'mail.xlsx' does not say a format.*\.csv, \.tsv.*\.gz"):
        read_table(tmp_path / "mail.xlsx")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file '.*absent\.csv'"):
        read_table(tmp_path / "absent.csv")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"cannot be read: .*directory"):
        read_table(tmp_path / "folder.csv")


@pytest.mark.parametrize("name", ["empty.csv", "empty.tsv", "empty.jsonl", "empty.csv.gz"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    empty = gzip.compress(b"") if name.endswith(".gz") else b""
    (tmp_path / name).write_bytes(empty)
    with pytest.raises(DataError, match="is empty"):
        read_table(tmp_path / name)


def test_a_stream_needs_a_format() -> None:
    with pytest.raises(DataError, match=r"must be said: one of \['csv', 'jsonl', 'parquet', 'tsv'\]"):
        read_table(io.BytesIO(b"text\nhello\n"))


@pytest.mark.parametrize(
    ("format", "content"), [("csv", b"text\nhello\n"), ("jsonl", b'{"text": "hello"}\n')]
)
def test_a_stream_stays_open_when_its_table_is_closed(format: str, content: bytes) -> None:
    stream = io.BytesIO(content)
    with read_table(stream, format) as table:  # type: ignore[arg-type]
        assert [row.get("text") for row in table] == ["hello"]
    assert not stream.closed


def test_a_file_is_closed_with_its_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nhello\n")
    table = read_table(tmp_path / "a.csv")
    table.close()
    with pytest.raises(ValueError, match=r"detached|closed"):
        next(iter(table))


def test_rows_are_read_as_they_are_asked_for() -> None:
    class Endless(io.RawIOBase):
        sent = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            content = b"hello,ham\n" * (len(buffer) // 10)
            buffer[: len(content)] = content
            self.sent += len(content)
            return len(content)

    stream = Endless()
    with read_table(stream, "csv") as table:  # type: ignore[arg-type]
        rows = iter(table)
        for _ in range(10_000):
            next(rows)
    assert stream.sent < 10_000 * 10 + 2**20


def test_a_column_is_required_by_name() -> None:
    table = read_table(io.BytesIO(b"text,kind,kind\nhello,a,b\n"), "csv", name="mail.csv")
    assert table.require("text") == "text"
    with pytest.raises(ColumnError, match=r"mail.csv has no column 'body'; its columns are \['text', 'kind'"):
        table.require("body")
    with pytest.raises(ColumnError, match="has 2 columns named 'kind'"):
        table.require("kind")


def test_a_row_gives_cells_by_name() -> None:
    row = next(iter(read_table(io.BytesIO(b"text,label\nhello\n"), "csv")))
    assert row.get("text") == "hello"
    assert row.get("label") is None
    assert row.get("other") is None
    assert row.to_dict() == {"text": "hello"}


@pytest.mark.parametrize(("format", "what"), [("csv", "Row 2"), ("jsonl", "Line 2")])
def test_a_row_without_end_stops_the_reading(format: str, what: str) -> None:
    first = {"csv": b"text\nhello\n", "jsonl": b'{"text": "hello"}\n'}[format]
    table = read_table(io.BytesIO(first + b'"' + b"x" * (MAX_ROW + 10)), format)  # type: ignore[arg-type]
    rows = iter(table)
    assert next(rows).get("text") == "hello"
    with pytest.raises(DataError, match=f"{what} .*longer than 16,777,216"):
        next(rows)
