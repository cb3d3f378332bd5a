"""How errors show what came from outside."""

import json

import pytest

from assay.service.errors import brief, shown


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("short", "'short'"),
        ("a\ud800", r"'a\ud800'"),
        ("x" * 61, f"'{'x' * 60}'... (61 characters)"),
        ([1] * 1_001, "an array of 1,001"),
        ({"a": 1}, "an object of 1"),
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.5, "1.5"),
        (10**4_000, "1" + "0" * 59),
    ],
)
def test_a_value_is_shown_short(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_a_name_with_a_lone_surrogate_can_be_written_as_json() -> None:
    assert brief("a\udc00b") == r"a\udc00b"
    json.dumps(brief("a\udc00b")).encode("utf-8")
