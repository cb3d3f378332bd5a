"""Bad bodies: each a clear error that names what is wrong, never a failure of the service."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from assay.config import MAX_TEXT_BYTES
from assay.service.bodies.structure import check_structure
from assay.service.limits import MAX_FIELDS, MAX_SUBJECT_CHARACTERS, Limits

JSON = {"Content-Type": "application/json"}


def refusal(
    client: TestClient, body: bytes, status: int, path: str = "/predict", **headers: str
) -> dict[str, Any]:
    """Send a body, require a status and return the error."""
    answer = client.post(path, content=body, headers={**JSON, **headers})
    assert answer.status_code == status, answer.text
    assert len(answer.content) < 5_000
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"code", "message", "detail", "request_id"}
    return error


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        (b"", "empty_body", "no body"),
        (b"{", "invalid_json", "line 1, column 2"),
        (b'{"text": NaN}', "invalid_json", "NaN"),
        (b'{"text": -Infinity}', "invalid_json", "-Infinity"),
        (b'{"text": "\xff"}', "invalid_utf8", "byte 10 is 0xff"),
        (b'{"text": "\xed\xa0\x80"}', "invalid_utf8", "byte 10 is 0xed"),
        ('{"text": "x"}'.encode("utf-16"), "invalid_utf8", "byte 0"),
        (b'\xef\xbb\xbf{"text": "x"}', "invalid_json", "BOM"),
        (b'{"text": "x"} {}', "invalid_json", "Extra data"),
        (b'{"text": "a\x00b"}', "invalid_json", "Invalid control character"),
        (b"[" * 100_000, "invalid_json", "nested too deeply"),
        (b'{"text":' + b"9" * 5_000 + b"}", "invalid_json", "too many digits"),
        (b"\x00\x01\x02", "invalid_json", "line 1, column 1"),
        (b'{"text": "a", "text": "b"}', "repeated_key", "'text'"),
        (b'{"text": "a", "\\u0074ext": "b"}', "repeated_key", "'text'"),
        (b'{"text" \n: "a", "subject": "s", "subject"\t: null}', "repeated_key", "'subject'"),
        (b'{"text": "a \\"b\\": c", "text": "d"}', "repeated_key", "'text'"),
        (b'{"texts": ["a"], "x": {"y": 1, "y": 1}}', "repeated_key", "'y'"),
        (b'[{"y": 1, "z": 1, "y": 1}]', "repeated_key", "'y'"),
    ],
)
def test_what_is_not_json_is_400_and_says_where(
    client: TestClient, body: bytes, code: str, part: str
) -> None:
    error = refusal(client, body, 400)
    assert error["code"] == code
    assert part in error["message"]


@pytest.mark.parametrize(
    ("body", "field", "part"),
    [
        (b"[]", "", "JSON object"),
        (b'"text"', "", "JSON object"),
        (b"null", "", "JSON object"),
        (b"{}", "", "neither"),
        (b'{"text": null}', "", "neither"),
        (b'{"text": "a", "texts": ["b"]}', "", "both"),
        (b'{"text": 3}', "text", "in quotes"),
        (b'{"text": ["a"]}', "text", "in quotes"),
        (b'{"text": "a", "surprise": 1}', "surprise", "does not exist"),
        (b'{"text": ""}', "text", "empty"),
        (b'{"text": " \\n\\t\\u00a0"}', "text", "empty"),
        (b'{"text": "a\\ud800"}', "text", "lone surrogate at character 1"),
        (b'{"text": "a", "subject": "\\ud800"}', "subject", "lone surrogate"),
        (b'{"text": "a", "subject": 7}', "subject", "in quotes"),
        (b'{"\\ud800": 1}', "", "lone surrogate"),
        (b'{"texts": "a"}', "texts", "array of texts"),
        (b'{"texts": []}', "texts", "at least 1"),
        (b'{"texts": ["a", "b", "c", 4]}', "texts.3", "in quotes"),
        (b'{"texts": ["a", null]}', "texts.1", "in quotes"),
        (b'{"texts": ["a", "b", " "]}', "texts.2", "empty"),
        (b'{"texts": ["a", "\\udfff"]}', "texts.1", "lone surrogate"),
    ],
)
def test_a_wrong_field_is_422_and_named(client: TestClient, body: bytes, field: str, part: str) -> None:
    error = refusal(client, body, 422)
    assert error["code"] == "invalid_request"
    assert error["detail"][0]["field"] == field
    assert part in error["detail"][0]["message"]
    assert part in error["message"]


def test_null_for_the_other_form_is_as_good_as_leaving_it_out(client: TestClient) -> None:
    assert client.post("/predict", json={"text": "fine", "texts": None, "subject": None}).status_code == 200


@pytest.mark.parametrize("path", ["/predict/batch", "/batch_predict"])
def test_batches_take_no_single_text(client: TestClient, path: str) -> None:
    error = refusal(client, b'{"text": "a"}', 422, path)
    assert {fault["field"] for fault in error["detail"]} == {"text", "texts"}


@pytest.mark.parametrize(
    "text", ['a "text": b, "text": c', "10:30, http://x:80", '\\"text\\": ', '"', ":", '{"text":1,"text":2}']
)
def test_a_text_that_quotes_keys_is_no_key_twice(client: TestClient, text: str) -> None:
    assert client.post("/predict", json={"text": text, "subject": text}).status_code == 200
    assert client.post("/predict", json={"texts": [text, text]}).status_code == 200


MANY = Limits.max_body_bytes // 10
PARTS = [b'"a"', b"1", b"[]", b"{}", b'{"a":1}', b"null"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("start", [b'{"texts":[', b'{"text":"a","subject":[', b"["])
def test_a_million_parts_are_refused_before_anything_is_built(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, part: bytes, start: bytes
) -> None:
    def built(raw: bytes) -> None:
        raise AssertionError("it was parsed")

    monkeypatch.setattr("assay.service.bodies.bodies.parse_json", built)
    error = refusal(client, start + b",".join([part] * MANY), 422)
    assert "too many parts" in error["message"]


def test_the_largest_request_that_is_allowed_is_not_too_many_parts() -> None:
    text = 'He said: "no", [twice], {again}, \\ and left. ' * 150
    raw = json.dumps({"texts": [text] * Limits.max_texts, "subject": "s"}).encode()
    assert len(raw) > Limits.max_body_bytes * 0.8
    check_structure(raw, Limits())


@pytest.mark.parametrize("most", [8, 9, 500])
def test_fields_have_a_limit_too(client: TestClient, most: int) -> None:
    wide = {f"x{number}": 1 for number in range(MAX_FIELDS + most)}
    assert f"has {MAX_FIELDS + most}" in refusal(client, json.dumps(wide).encode(), 422)["message"]
    inner = json.dumps({"text": "a", "subject": wide}).encode()
    assert refusal(client, inner, 422)["detail"][0]["field"] == "subject"
    long = json.dumps({"text": "a", "subject": [1] * (Limits.max_texts + most)}).encode()
    assert refusal(client, long, 422)["detail"][0]["field"] == "subject"


def test_nul_is_text(client: TestClient) -> None:
    assert client.post("/predict", content=b'{"text": "\\u0000"}', headers=JSON).status_code == 200


def test_a_text_over_the_limit_is_named_and_not_echoed(client: TestClient) -> None:
    body = json.dumps({"texts": ["fine", "é" * (MAX_TEXT_BYTES // 2 + 1)]}).encode()
    error = refusal(client, body, 422)
    assert error["detail"][0]["field"] == "texts.1"
    assert f"{MAX_TEXT_BYTES + 2:,} bytes" in error["message"]


def test_one_text_too_many_is_refused_with_the_limit(client: TestClient) -> None:
    error = refusal(client, json.dumps({"texts": ["a"] * (Limits.max_texts + 1)}).encode(), 422)
    assert f"{Limits.max_texts:,}" in error["message"]
    assert "1,001" in error["message"]


def test_a_subject_over_the_limit_is_refused(client: TestClient) -> None:
    body = {"text": "a", "subject": "s" * (MAX_SUBJECT_CHARACTERS + 1)}
    assert refusal(client, json.dumps(body).encode(), 422)["detail"][0]["field"] == "subject"


def test_only_the_first_faults_of_many_are_listed_and_all_are_counted(client: TestClient) -> None:
    error = refusal(client, json.dumps({"texts": [1] * 500}).encode(), 422)
    assert len(error["detail"]) == 20
    assert "(and 499 more)" in error["message"]


@pytest.mark.parametrize("body", [{"text": {"a": "b" * 900_000}}, {"text": 1, "x" * 900_000: 1}])
def test_a_huge_wrong_value_or_name_is_not_echoed(client: TestClient, body: dict[str, Any]) -> None:
    refusal(client, json.dumps(body).encode(), 422)


def test_a_body_over_the_limit_is_413(client: TestClient) -> None:
    body = b'{"text": "' + b"a" * Limits.max_body_bytes + b'"}'
    error = refusal(client, body, 413)
    assert (error["code"], f"{Limits.max_body_bytes:,}" in error["message"]) == ("too_large", True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json; version=1; charset=utf-16"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "text/plain, application/json"},
        {"Content-Type": "\xff"},
    ],
)
def test_another_media_type_is_415_and_says_which_to_send(
    client: TestClient, headers: dict[str, str]
) -> None:
    raw = {key: value.encode("latin-1") for key, value in {**JSON, **headers}.items()}
    answer = client.post("/predict", content=b'{"text": "a"}', headers=raw)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json; version=2; charset=utf8",
        "application/json;",
    ],
)
def test_json_in_utf_8_may_say_so(client: TestClient, content_type: str) -> None:
    answer = client.post("/predict", content=b'{"text": "a"}', headers={"Content-Type": content_type})
    assert answer.status_code == 200
