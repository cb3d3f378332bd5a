import io

import pytest

from assay.datasets import Table, read_table
from assay.datasets.columns import find_column, slice_columns
from assay.exceptions import ColumnError


def table_of(header: str) -> Table:
    return read_table(io.BytesIO(f"{header}\n".encode()), "csv", name="mail.csv")


@pytest.mark.parametrize(
    ("header", "text", "label"),
    [
        ("text,label", "text", "label"),
        ("review,sentiment", "review", "sentiment"),
        ("id,Message,Category", "Message", "Category"),
        ("v1,v2,,,", "v2", "v1"),
        ("count,hate_speech_count,class,tweet", "tweet", "class"),
        ("review,text,category,label", "text", "label"),
    ],
)
def test_columns_are_found_by_their_usual_names(header: str, text: str, label: str) -> None:
    table = table_of(header)
    assert find_column(table, None, "text") == text
    assert find_column(table, None, "label") == label


def test_a_given_column_is_taken_over_a_usual_one() -> None:
    assert find_column(table_of("text,words"), "words", "text") == "words"


def test_a_given_column_that_is_missing_lists_those_that_exist() -> None:
    with pytest.raises(ColumnError, match=r"no column 'body'; its columns are \['text', 'label'\]") as caught:
        find_column(table_of("text,label"), "body", "text")
    assert caught.value.data["columns"] == ["text", "label"]


def test_no_usual_name_lists_the_columns_and_the_option() -> None:
    with pytest.raises(ColumnError, match=r"None of the columns \['a', 'b'\] of mail.csv .*--label COLUMN"):
        find_column(table_of("a,b"), None, "label")


@pytest.mark.parametrize("header", ["message,review", "text,text"])
def test_several_usual_names_must_be_chosen_from(header: str) -> None:
    with pytest.raises(ColumnError, match=r"(More than one|2 columns named)"):
        find_column(table_of(header), None, "text")


@pytest.mark.parametrize(
    ("header", "asked", "columns"),
    [
        ("text,label", [], {}),
        ("text,label,channel", [], {}),
        ("text,label,channel,day", ["day", "channel"], {"day": "day", "channel": "channel"}),
        ("text,label, Source", [], {"source": " Source"}),
        ("text,label,source", ["source"], {"source": "source"}),
        ("text,label,SOURCE", ["SOURCE"], {"SOURCE": "SOURCE"}),
        ("text,label,source,Source", [], {}),
        ("text,label,source,Source", ["Source"], {"Source": "Source"}),
        ("text,label,day,source", ["day"], {"day": "day", "source": "source"}),
    ],
)
def test_slices_are_the_columns_asked_for_and_the_source(
    header: str, asked: list[str], columns: dict[str, str]
) -> None:
    found = slice_columns(table_of(header), asked, ("text", "label"))
    assert list(found.items()) == list(columns.items())


def test_a_source_that_holds_the_text_is_no_slice() -> None:
    assert slice_columns(table_of("source,label"), [], ("source", "label")) == {}


def test_slices_by_a_missing_column_list_those_that_exist() -> None:
    with pytest.raises(ColumnError, match=r"no column 'Day'; its columns are \['text', 'label', 'day'\]"):
        slice_columns(table_of("text,label,day"), ["Day"], ("text", "label"))


@pytest.mark.parametrize("name", ["text", "label"])
def test_slices_by_the_text_or_label_are_refused(name: str) -> None:
    with pytest.raises(ColumnError, match=rf"cannot be sliced by its column '{name}'.*data.slices") as caught:
        slice_columns(table_of("text,label,day"), [name], ("text", "label"))
    assert caught.value.data["columns"] == ["text", "label", "day"]
