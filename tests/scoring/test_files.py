"""Rows in batches: the same answers as one by one, in constant memory, and nothing half-written."""

import errno
import io
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from assay.datasets import Row, Table, read_table
from assay.estimators import Cascade, Decision
from assay.exceptions import DataError
from assay.scoring import check_output, open_input, replacing, score_rows, score_table
from assay.scoring.files import ANSWERING, BATCH_ROWS
from tests.corpus import SPAM_GROUPS, labelled
from tests.scoring.conftest import Score


class Endless(io.RawIOBase):
    """The bytes of a CSV of any number of rows, made as they are read."""

    def __init__(self, rows: int) -> None:
        lines = (f"{number},free prize number {number}\n".encode() for number in range(rows))
        self._lines, self._left = chain([b"n,text\n"], lines), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while len(self._left) < len(buffer) and (line := next(self._lines, b"")):
            self._left += line
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


class Sink(io.RawIOBase):
    """Counts the bytes written and keeps none."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.size += len(data)
        return len(data)


@pytest.mark.parametrize("rows", [0, 1, BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1, 2 * BATCH_ROWS])
def test_rows_keep_their_number_and_order(score: Score, rows: int) -> None:
    content = b"n,text\n" + b"".join(b"%d,lunch %d\n" % (n, n) for n in range(rows))
    scored = score(content)
    assert [row["n"] for row in scored.records()] == [str(number) for number in range(rows)]
    assert (scored.tally.rows, scored.tally.errors) == (rows, 0)


def test_rows_in_batches_with_errors_between_get_the_answers_of_decide(spam_cascade: Cascade) -> None:
    texts = labelled(SPAM_GROUPS, BATCH_ROWS)[0]
    texts[5::7] = [""] * len(texts[5::7])
    rows = [Row(number, ("text",), (text,)) for number, text in enumerate(texts)]
    for row, answer in score_rows(spam_cascade, rows, "text"):
        if row.cells[0] == "":
            assert answer == "The text in 'text' is empty."
        else:
            [alone] = spam_cascade.decide([row.cells[0]])
            assert not isinstance(answer, str)
            assert (answer.label, answer.score, answer.confidence) == (
                alone.label,
                alone.score,
                alone.confidence,
            )


def test_rows_are_taken_a_batch_at_a_time(spam_cascade: Cascade) -> None:
    taken: list[int] = []

    def rows() -> Iterator[Row]:
        for number in range(10 * BATCH_ROWS):
            taken.append(number)
            yield Row(number, ("text",), ("lunch",))

    next(score_rows(spam_cascade, rows(), "text"))
    assert len(taken) == BATCH_ROWS


def test_a_batch_is_read_while_the_one_before_it_is_decided(spam_cascade: Cascade) -> None:
    read = threading.Event()

    class Waiting(Cascade):
        def decide(self, texts: Sequence[str], *, explain: bool = False) -> list[Decision]:
            assert read.wait(60), "the second batch was not read meanwhile"
            return super().decide(texts, explain=explain)

    def rows() -> Iterator[Row]:
        for number in range(BATCH_ROWS + 1):
            yield Row(number, ("text",), ("lunch",))
        read.set()

    parts = {each.name: getattr(spam_cascade, each.name) for each in fields(spam_cascade)}
    table = Table("rows", "csv", ("text",), rows(), delimiter=",")
    out = io.BytesIO()
    assert score_table(Waiting(**parts), table, None, out).rows == BATCH_ROWS + 1
    assert len(out.getvalue().splitlines()) == BATCH_ROWS + 2


@pytest.mark.parametrize("batches", [0, 1, 2, 5])
def test_damage_ends_the_scoring_after_the_whole_batches_before_it(
    spam_cascade: Cascade, batches: int
) -> None:
    def rows() -> Iterator[Row]:
        for number in range(batches * BATCH_ROWS + 3):
            yield Row(number, ("text",), ("lunch",))
        raise EOFError("ended early")

    out = io.BytesIO()
    with pytest.raises(DataError, match="rows cannot be read: ended early"):
        score_table(spam_cascade, Table("rows", "csv", ("text",), rows(), delimiter=","), None, out)
    assert len(out.getvalue().splitlines()) == 1 + batches * BATCH_ROWS


@pytest.mark.parametrize("batches", [1, 2, 5])
def test_a_stream_that_takes_no_more_is_not_written_to_again(spam_cascade: Cascade, batches: int) -> None:
    class Full(io.BytesIO):
        refused = 0

        def write(self, data: Any) -> int:
            if len(self.getvalue()) > 100:
                self.refused += 1
                raise OSError(errno.ENOSPC, "full")
            return super().write(data)

    rows = (Row(number, ("text",), ("lunch",)) for number in range(batches * BATCH_ROWS + BATCH_ROWS))
    out = Full()
    with pytest.raises(OSError, match="full"):
        score_table(spam_cascade, Table("rows", "csv", ("text",), rows, delimiter=","), None, out)
    assert out.refused == 1


def test_memory_does_not_grow_with_the_rows(spam_cascade: Cascade) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        with read_table(Endless(rows), "csv") as table:  # type: ignore[arg-type]
            assert score_table(spam_cascade, table, None, Sink()).rows == rows  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(BATCH_ROWS)
    # One batch is read while one more than there are threads is held.
    assert peak(12 * BATCH_ROWS) < peak((ANSWERING + 2) * BATCH_ROWS) * 1.2


def test_a_folder_of_texts_is_no_table_to_score(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"The name 'folder' does not say a format"):
        open_input(str(tmp_path / "folder"), None)


def test_standard_input_is_csv_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b'{"text": "lunch"}\n')

    monkeypatch.setattr("sys.stdin", Stdin)
    with open_input("-", "jsonl") as table:
        assert (table.name, table.format, table.columns) == ("standard input", "jsonl", ("text",))
    Stdin.buffer = io.BytesIO(b"text\nlunch\n")
    with open_input("-", None) as table:
        assert table.format == "csv"


@pytest.mark.parametrize("name", ["out.jsonl", "out.PARQUET", "out.csv.gz", "out.tsv"])
def test_an_output_may_not_say_another_format(name: str) -> None:
    with (
        read_table(io.BytesIO(b"text\nx\n"), "csv", name="mail.csv") as table,
        pytest.raises(DataError, match=r"rows of mail.csv are written as they came, in csv"),
    ):
        check_output(Path(name), table)


@pytest.mark.parametrize("name", ["out.csv", "out", "out.CSV", "out.txt"])
def test_an_output_of_the_same_format_or_of_none_is_taken(name: str) -> None:
    with read_table(io.BytesIO(b"text\nx\n"), "csv") as table:
        check_output(Path(name), table)


def test_an_output_is_replaced_only_when_the_whole_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"before")

    def break_off() -> None:
        with replacing(path) as stream:
            stream.write(b"half")
            raise DataError("the input is damaged")

    with pytest.raises(DataError, match="the input is damaged"):
        break_off()
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]
    assert path.read_bytes() == b"before"
    with replacing(path) as stream:
        stream.write(b"after")
        stream.flush()
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    with replacing(tmp_path / "link.csv") as stream:
        stream.write(b"x")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"x"


def test_what_is_no_file_is_written_and_not_replaced(tmp_path: Path) -> None:
    # Not tried on /dev/null: where this fails, root would replace it.
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with replacing(pipe) as stream:
            stream.write(b"x")
        assert (pipe.is_fifo(), os.read(reader, 10)) == (True, b"x")
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (lambda folder: folder, "Is a directory"),
        (lambda folder: folder / "absent" / "out.csv", "No such file or directory"),
        (lambda folder: folder / "file" / "out.csv", "Not a directory"),
        (lambda folder: folder / ("x" * 300), "File name too long"),
    ],
)
def test_an_output_that_cannot_be_written_is_named(
    tmp_path: Path, place: Callable[[Path], Path], reason: str
) -> None:
    (tmp_path / "file").touch()

    def write() -> None:
        with replacing(place(tmp_path)) as stream:
            stream.write(b"x")

    with pytest.raises(DataError, match=rf"could not be written: {reason}"):
        write()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
