import csv
import io
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.datasets import Layout, Row, read_table
from assay.exceptions import DataError

CELLS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('\0\r\n",;\t\u2028\x85\x1c'), max_size=20
)


def rows_of(content: bytes, format: Literal["csv", "tsv"] = "csv") -> list[Row]:
    with read_table(io.BytesIO(content), format, name="mail.csv") as table:
        return list(table)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=10), st.sampled_from(["csv", "tsv"]))
def test_what_was_written_is_read(written: list[tuple[str, str]], format: Literal["csv", "tsv"]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t" if format == "tsv" else ",")
    writer.writerows([("text", "label"), *written])
    rows = rows_of(out.getvalue().encode(), format)
    assert [tuple(row.cells) for row in rows] == written
    assert [row.number for row in rows] == list(range(1, len(written) + 1))
    assert all(row.fault is None for row in rows)


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    with read_table(io.BytesIO(b"\xef\xbb\xbftext,label\nhello,ham\n"), "csv") as table:
        assert table.columns == ("text", "label")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_its_mark_is_read(encoding: str) -> None:
    content = '\ufefftext\tlabel\r\n"caf\xe9\r\n\U0001f389"\tham\r\n'.encode(encoding)
    with read_table(io.BytesIO(content), "csv") as table:
        assert (table.columns, table.delimiter, table.marked) == (("text", "label"), "\t", True)
        assert [row.cells for row in table] == [["caf\xe9\r\n\U0001f389", "ham"]]


def test_what_is_no_character_of_utf_16_is_replaced() -> None:
    content = b"\xff\xfe" + "text,n\n".encode("utf-16-le") + b"\x00\xd8a\x00,\x001\x00\n\x00b"
    cells = [row.cells[0] for row in rows_of(content)]
    assert cells == ["\ufffda", "\ufffd"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04\x14\x00", "an Excel workbook or another zip file. Save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
        (b"\x1f\x8b\x08\x00", "compressed with gzip. Let its name end in .gz"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_what_is_no_text_is_refused_by_name(content: bytes, what: str) -> None:
    with pytest.raises(DataError, match=f"mail.csv is not text but {what}"):
        rows_of(content)


@pytest.mark.parametrize(
    ("header", "mark"),
    [
        ("id;text, as sent;label", ";"),
        ('id;"a,b,c,d";label', ";"),
        ('"text;a;b",label', ","),
        ("a,b;c", ","),
        ("text", ","),
        ("a\tb, c\td", "\t"),
    ],
)
def test_the_separator_is_what_the_header_has_most_often_outside_quotes(header: str, mark: str) -> None:
    with read_table(io.BytesIO(f"{header}\nx{mark}y\n".encode()), "csv") as table:
        assert table.delimiter == mark


@pytest.mark.parametrize("mark", [";", ",", "\t", "^"])
def test_excels_line_about_the_separator_is_no_row(mark: str) -> None:
    content = f'\ufeffsep={mark}\r\ntext{mark}label\r\n"a;b"{mark}ham\r\n'
    with read_table(io.BytesIO(content.encode()), "csv") as table:
        assert (table.columns, table.delimiter) == (("text", "label"), mark)
        assert [row.number for row in table] == [1]


def test_a_column_that_is_named_sep_is_a_column() -> None:
    with read_table(io.BytesIO(b"sep=a,text\n1,hello\n"), "csv") as table:
        assert table.columns == ("sep=a", "text")


def test_a_newline_in_quotes_is_part_of_the_cell() -> None:
    assert [row.cells for row in rows_of(b'text,label\r\n"two\r\nlines",ham\r\nnext,spam\r\n')] == [
        ["two\r\nlines", "ham"],
        ["next", "spam"],
    ]


def test_a_ragged_row_is_a_fault_of_that_row_alone() -> None:
    rows = rows_of(b"text,label\nhello,ham\nhello, you,ham\nalone\nbye,ham\n")
    assert [row.fault and row.fault.kind for row in rows] == [None, "ragged", "ragged", None]
    assert rows[1].fault is not None
    assert rows[1].fault.message == "has 3 cells where the header has 2"
    assert [row.number for row in rows] == [1, 2, 3, 4]


def test_blank_lines_are_no_rows() -> None:
    assert [row.number for row in rows_of(b"\n\ntext,label\n\nhello,ham\n\n\nbye,ham\n\n")] == [1, 2]


def test_a_quote_that_is_never_closed_is_a_fault_of_its_row() -> None:
    rows = rows_of(b'text,label\nhello,ham\n"oh,ham\nbye,ham\nbye,ham\n')
    assert [row.fault and row.fault.kind for row in rows] == [None, "unclosed_quote"]
    assert rows[1].fault is not None
    assert "on or after line 3" in rows[1].fault.message


def test_a_last_line_without_newline_is_whole() -> None:
    assert [row.fault for row in rows_of(b'text,label\nhello,"ham"')] == [None]


def test_a_quote_inside_a_cell_is_text() -> None:
    assert rows_of(b'text,label\nhe said "hi",ham\n"5"" screen",ham\n')[1].cells == ['5" screen', "ham"]


def test_a_field_over_the_csv_modules_limit_is_read() -> None:
    long = b"x" * 10_000_000 + b",ham\n"
    assert [len(row.cells[0]) for row in rows_of(b"text,label\n" + long + long)] == [10_000_000] * 2


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_separator_is_seen_in_a_header_without_commas(mark: str) -> None:
    with read_table(io.BytesIO(f"text{mark}label\nwell, hello{mark}ham\n".encode()), "csv") as table:
        assert table.delimiter == mark
        assert [row.cells for row in table] == [["well, hello", "ham"]]


def test_bytes_that_are_not_utf_8_can_be_written_back() -> None:
    content = b"text,label\ncaf\xe9,ham\n"
    (row,) = rows_of(content)
    assert row.fault is None
    with pytest.raises(UnicodeEncodeError):
        row.cells[0].encode()
    assert row.cells[0].encode(errors="surrogateescape") == b"caf\xe9"


def test_a_file_without_header_is_read_by_its_layout() -> None:
    layout = Layout(columns=("label", "text"), quoted=False)
    with read_table(io.BytesIO(b'ham\t"hi\nspam\tbuy"\n'), "tsv", layout=layout) as table:
        assert [row.to_dict() for row in table] == [
            {"label": "ham", "text": '"hi'},
            {"label": "spam", "text": 'buy"'},
        ]


@pytest.mark.parametrize("content", [b"\n\n\n", b'"text,label\nhello,ham\n'])
def test_a_file_without_a_header_row_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="no header row"):
        rows_of(content)


def test_a_header_alone_is_a_table_without_rows() -> None:
    assert rows_of(b"text,label\n") == []
