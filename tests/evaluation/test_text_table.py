from assay.evaluation.text_table import text_table


def test_columns_line_up_whatever_they_hold() -> None:
    lines = text_table(("rule", "hits", "note"), [("a-long-one", "7", ""), ("b", "1,234", "x")], "lrl")
    assert lines == ["rule         hits  note", "a-long-one      7", "b           1,234  x"]


def test_a_table_without_rows_is_its_header() -> None:
    assert text_table(("a", "b"), [], "lr") == ["a  b"]
