import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.datasets import read_table
from assay.exceptions import DataError


def test_values_are_those_of_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "mail.parquet"
    texts, labels = ["hello", None, "two\nlines\0"], pa.array(["ham", "ham", "spam"]).dictionary_encode()
    pq.write_table(pa.table({"text": texts, "label": labels, "n": [1, 2, None]}), path)
    with read_table(path) as table:
        assert table.columns == ("text", "label", "n")
        assert table.schema.field("n").type == pa.int64()
        rows = list(table)
    assert [row.cells for row in rows] == [
        ("hello", "ham", 1),
        (None, "ham", 2),
        ("two\nlines\0", "spam", None),
    ]
    assert [row.number for row in rows] == [1, 2, 3]


def test_rows_are_numbered_through_all_batches(tmp_path: Path) -> None:
    path = tmp_path / "mail.parquet"
    pq.write_table(pa.table({"text": [str(n) for n in range(5_000)]}), path, row_group_size=700)
    with read_table(path) as table:
        assert all(row.get("text") == str(row.number - 1) for row in table)


def test_strings_that_are_not_utf_8_are_kept_with_their_neighbours(tmp_path: Path) -> None:
    raw = pa.array([b"fine", b"caf\xe9", None], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, raw.buffers(), raw.null_count)
    dictionary = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int32()), text.slice(0, 2))
    for column in (text, dictionary):
        pq.write_table(pa.table({"text": column}), tmp_path / "mail.parquet")
        with read_table(tmp_path / "mail.parquet") as table:
            assert [row.get("text") for row in table] == ["fine", "caf\udce9", None]


@pytest.mark.parametrize("content", [b"", b"text,label\nhello,ham\n", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_what_is_not_parquet_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=r"the stream (is not a Parquet file that can|cannot) be read"):
        read_table(io.BytesIO(content), "parquet")


def test_damage_in_the_middle_is_told_with_the_row(tmp_path: Path) -> None:
    path = tmp_path / "mail.parquet"
    pq.write_table(pa.table({"text": [f"{n:0100}" for n in range(5_000)]}), path, row_group_size=1_024)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 2_000] = b"\xff" * 2_000
    path.write_bytes(content)
    with (
        pytest.raises(DataError, match=r"(is damaged after row \d+|cannot be read)"),
        read_table(path) as table,
    ):
        list(table)


def test_a_stream_that_cannot_seek_is_read() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, offset: int, whence: int = 0) -> int:
            raise io.UnsupportedOperation("seek")

    out = io.BytesIO()
    pq.write_table(pa.table({"text": ["hello"]}), out)
    with read_table(Pipe(out.getvalue()), "parquet") as table:
        assert [row.cells for row in table] == [("hello",)]
