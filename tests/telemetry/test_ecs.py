"""A line of the request log: its fields, and that nothing from outside breaks out of it."""

import json
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from assay import __version__
from assay.telemetry.ecs import FIELDS, LONGEST_PATH, dropped_line, line_of
from tests.telemetry.requests import exchange

FULL = {
    "at": 1_700_000_000.25, "seconds": 0.0125, "received": 40, "sent": 90, "key": "shop", "task": "spam",
    "version": "3", "texts": 1, "rows": 7, "row_errors": 2, "code": "odd", "content": ("hello",),
}  # fmt: skip


def test_a_line_tells_all_that_is_known() -> None:
    line = json.loads(line_of(exchange(**FULL)))
    assert datetime.fromisoformat(line["@timestamp"]).timestamp() == FULL["at"]
    assert line["event.duration"] == 12_500_000
    assert (line["event.outcome"], line["log.level"]) == ("success", "info")
    assert line["message"] == "POST /predict 200"
    assert line["http.request.body.content"] == ["hello"]
    assert (line["http.request.body.bytes"], line["http.response.body.bytes"]) == (40, 90)
    assert (line["client.ip"], line["user.name"], line["error.code"]) == ("10.0.0.1", "shop", "odd")
    assert (line["assay.task"], line["assay.version"], line["assay.texts"]) == ("spam", "3", 1)
    assert (line["assay.rows"], line["assay.row_errors"]) == (7, 2)
    assert line["service.version"] == __version__


def test_every_field_is_in_the_table_and_every_field_of_the_table_comes() -> None:
    seen = {*json.loads(line_of(exchange(**FULL))), *json.loads(dropped_line(3, 1.0))}
    seen |= set(json.loads(line_of(exchange(address="a socket"))))
    assert seen == set(FIELDS)


def test_what_is_not_known_is_left_out() -> None:
    line = json.loads(line_of(exchange(address="")))
    absent = {"client.ip", "client.address", "user.name", "error.code", "http.request.body.content"}
    assert not absent & set(line)
    assert not any(name.startswith("assay.") for name in line if name != "assay.route")


def test_outcomes_and_levels_follow_the_status() -> None:
    read = [json.loads(line_of(exchange(status=status))) for status in (200, 304, 404, 429, 499, 500, 503)]
    outcomes = ["success"] * 2 + ["failure"] * 2 + ["unknown"] + ["failure"] * 2
    assert [line["event.outcome"] for line in read] == outcomes
    assert [line["log.level"] for line in read] == ["info"] * 5 + ["error"] * 2


def test_an_endless_path_is_cut() -> None:
    line = json.loads(line_of(exchange(path="/" + "x" * 100_000)))
    assert len(line["url.path"]) == LONGEST_PATH


def test_lost_lines_are_told() -> None:
    line = json.loads(dropped_line(1_234, 5.0))
    assert (line["assay.dropped"], line["event.action"], line["log.level"]) == (1_234, "dropped", "warn")
    assert line["message"].startswith("1,234 requests have no line here")


@given(st.text(), st.text(), st.text())
def test_nothing_from_outside_makes_a_second_line_or_a_colour(path: str, text: str, key: str) -> None:
    odd = "\n\r\x1b[31m\x7f\x9b31m\u2028\u202e\ud800"
    line = line_of(exchange(path=path + odd, content=(text + odd,), key=key + odd, address=odd + text))
    assert line.endswith(b"\n")
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    read = json.loads(line)
    assert read["url.path"] == (path + odd)[:LONGEST_PATH]
    assert read["http.request.body.content"] == [text + odd]
