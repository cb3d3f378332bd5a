"""The hot route gives the answers of the application, and leaves to it whatever is not plain."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.service.connections.plain import MOST_BYTES
from assay.service.limits import INLINE_CHARACTERS, MAX_SUBJECT_CHARACTERS
from tests.service.hotroute.hot import JSON, ORDINARY, Heat, ask, ordinarily, parse, post, text

TEXT = b'{"text": "a wonderful film"}'
MULTI = b'{"text": "you are an idiot"}'


PLAIN: dict[str, bytes] = {
    "a text": post(TEXT, JSON),
    "a task": post(TEXT, JSON, path="/v1/tasks/spam/predict"),
    "more than two labels": post(MULTI, JSON, path="/v1/tasks/abuse/predict"),
    "a charset": post(TEXT, "Content-Type: application/json; charset=utf-8"),
    "a charset in capitals": post(TEXT, "CONTENT-TYPE: Application/JSON;charset=UTF-8"),
    "its own id": post(TEXT, JSON, "X-Request-ID: mine-1"),
    "an insane id": post(TEXT, JSON, "X-Request-ID: a b"),
    "a subject": post(text("fine", subject="someone"), JSON),
    "no subject": post(text("fine", subject=None), JSON),
    "a subject first": post(b'{"subject":"someone","text":"fine"}', JSON),
    "spaces": post(b' \r\n{ "text"\t:\n"fine" } ', JSON),
    "escapes": post(rb'{"t\u0065xt": "fi\u006ee \ud83d\ude00 \"quoted\" \\"}', JSON),
    "other scripts": post(text("日本語 שלום 👩\u200d👧 e\u0301"), JSON),
    "UTF-8": post('{"text": "naïve café 👍"}'.encode(), JSON),
    "NUL in it": post(rb'{"text": "a\u0000b"}', JSON),
    "JSON in it": post(text('{"text": "x", "text": "y"}'), JSON),
    "colons": post(text('a: "b": c'), JSON),
    "as long as may be": post(text("a " * (INLINE_CHARACTERS // 2)), JSON),
    "kept alive": post(TEXT, JSON, "Connection: keep-alive"),
    "accepts gzip": post(TEXT, JSON, "Accept-Encoding: gzip, br", "Accept: */*", "User-Agent: x"),
    "a key that nobody asks for": post(TEXT, JSON, "Authorization: Bearer abc"),
}

ODD: dict[str, bytes] = {
    "nothing": post(b"", JSON),
    "no type": post(TEXT),
    "another type": post(TEXT, "Content-Type: text/plain"),
    "another charset": post(TEXT, "Content-Type: application/json; charset=latin-1"),
    "the type twice": post(TEXT, JSON, JSON),
    "a query": post(TEXT, JSON, path="/predict?explain=true"),
    "a wrong query": post(TEXT, JSON, path="/predict?explain=maybe"),
    "a version": post(TEXT, JSON, path="/v1/tasks/spam/versions/1/predict"),
    "an unknown task": post(TEXT, JSON, path="/v1/tasks/nothing/predict"),
    "an escaped path": post(TEXT, JSON, path="/v1/tasks/sp%61m/predict"),
    "a slash more": post(TEXT, JSON, path="/predict/"),
    "another method": post(TEXT, JSON, line="PUT /predict HTTP/1.1"),
    "HTTP/1.0": post(TEXT, JSON, line="POST /predict HTTP/1.0"),
    "the last one": post(TEXT, JSON, "Connection: close"),
    "an origin": post(TEXT, JSON, "Origin: http://page.example"),
    "an encoding": post(TEXT, JSON, "Content-Encoding: gzip"),
    "no encoding": post(TEXT, JSON, "Content-Encoding: identity"),
    "texts": post(b'{"texts": ["a", "b"]}', JSON),
    "both": post(b'{"text": "a", "texts": null}', JSON),
    "another field": post(text("a", more=1), JSON),
    "not JSON": post(b'{"text": "a"', JSON),
    "NaN": post(b'{"text": NaN}', JSON),
    "not UTF-8": post(b'{"text": "\xff"}', JSON),
    "a list": post(b'["text"]', JSON),
    "a number": post(b"17", JSON),
    "a text that is a number": post(text(1), JSON),
    "a text that is null": post(text(None), JSON),
    "an empty text": post(text(""), JSON),
    "a blank text": post(text(" \t\u3000"), JSON),
    "a lone surrogate": post(rb'{"text": "\ud800"}', JSON),
    "a key twice": post(b'{"text": "a", "text": "b"}', JSON),
    "a key twice in escapes": post(rb'{"text": "a", "t\u0065xt": "b"}', JSON),
    "a subject that is a number": post(text("a", subject=1), JSON),
    "a long subject": post(text("a", subject="x" * (MAX_SUBJECT_CHARACTERS + 1)), JSON),
    "a long text": post(text("a" * (INLINE_CHARACTERS + 1)), JSON),
    "a large body": post(text("a" * MOST_BYTES), JSON),
    "nested": post(b'{"text": ' + b"[" * 3_000 + b"]" * 3_000 + b"}", JSON),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_requests_get_the_answer_of_the_application(address: str, heat: Heat, name: str) -> None:
    hot, ordinary = ask(address, PLAIN[name]), ask(address, ordinarily(PLAIN[name]))
    assert heat.answered == [True]
    assert parse(hot) == parse(ordinary)
    assert parse(hot).status == 200
    assert (b"x-request-id: mine-1\r\n" in hot) == (name == "its own id")


@pytest.mark.parametrize("name", ODD)
def test_whatever_is_odd_is_left_to_the_application(address: str, heat: Heat, name: str) -> None:
    hot, ordinary = ask(address, ODD[name]), ask(address, ordinarily(ODD[name]))
    assert True not in heat.answered
    assert parse(hot) == parse(ordinary)


def ids(answer: bytes) -> set[str]:
    """Return the ids of an answer: its decision's and its request's."""
    request_id = answer.partition(b"x-request-id: ")[2].partition(b"\r\n")[0].decode()
    return {json.loads(answer.partition(b"\r\n\r\n")[2])["id"], request_id}


def test_every_answer_has_ids_of_its_own(address: str, heat: Heat) -> None:
    answers = [ask(address, PLAIN["a text"]) for _ in range(5)]
    assert heat.answered == [True] * 5
    assert len(set.union(*map(ids, answers))) == 10


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    body=st.one_of(
        st.text(max_size=40).map(lambda value: json.dumps({"text": value}).encode()),
        st.text(max_size=20).map(lambda value: f'{{"text": "{value}"}}'.encode("utf-8", "surrogatepass")),
        st.dictionaries(
            st.sampled_from(["text", "texts", "subject", "x"]),
            st.one_of(
                st.none(), st.text(max_size=9), st.integers(), st.lists(st.text(max_size=4), max_size=3)
            ),
        ).map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=20).map(lambda junk: TEXT[:11] + junk + TEXT[11:]),
    )
)
def test_any_body_gets_the_answer_of_the_application(address: str, body: bytes) -> None:
    hot, ordinary = ask(address, post(body, JSON)), ask(address, post(body, ORDINARY, JSON))
    assert parse(hot) == parse(ordinary)
