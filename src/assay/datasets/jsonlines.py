"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from assay.datasets.table import MAX_ROW, Fault, Row, Table
from assay.exceptions import DataError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def open_table(stream: BinaryIO, name: str) -> Table:
    """Return the table of a JSON Lines stream; its columns are the keys of the first object."""
    rows = _rows(stream, name)
    begun: list[Row] = []
    for row in rows:
        begun.append(row)
        if row.fault is None:
            break
        if len(begun) == 1:
            _refuse_array(row, name)
    if not begun:
        raise DataError(f"{name} is empty.", source=name)
    return Table(name, "jsonl", tuple(begun[-1].names), chain(begun, rows))


def _refuse_array(row: Row, name: str) -> None:
    if str(row.cells[0]).startswith("["):
        raise DataError(
            f"{name} holds a JSON array, and one object a line is needed. "
            "Convert it, for example with: jq -c '.[]'",
            source=name,
        )


def _rows(stream: BinaryIO, name: str) -> Iterator[Row]:
    number = 0
    while line := stream.readline(MAX_ROW + 1):
        number += 1
        if len(line) > MAX_ROW:
            raise DataError(f"Line {number} of {name} is longer than {MAX_ROW:,} bytes.", line=number)
        if number == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if line.strip():
            yield _row(number, line.decode("utf-8", "surrogateescape"))


def _row(number: int, line: str) -> Row:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _unusable(number, line, Fault("not_json", f"is not JSON: {error}"))
    if not isinstance(record, dict):
        what = type(record).__name__
        return _unusable(number, line, Fault("not_object", f"is not a JSON object but {what}"))
    return Row(number, tuple(record), tuple(record.values()), size=len(line))


def _unusable(number: int, line: str, fault: Fault) -> Row:
    return Row(number, ("line",), (line.strip(),), fault, len(line))
