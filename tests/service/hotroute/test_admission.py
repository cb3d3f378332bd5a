"""Who may pass by the hot route: the same as by the application, counted the same."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

import pytest
from fastapi import FastAPI

from assay.access import Access, Caller, LocalCounting, Rate, Verdict, decide_policy
from assay.notation import networks
from assay.service import Models, create_app
from assay.telemetry import Counters
from tests.access.counters import Ticks
from tests.service.callers import Book, Log
from tests.service.hotroute.hot import JSON, Answer, Heat, ask, ordinarily, parse, post, text

Serve = Callable[[FastAPI], AbstractContextManager[str]]
Ways = Callable[[Access], tuple[str, str]]
EVERYBODY = decide_policy("0.0.0.0", require_keys=False, insecure=False)
LOOPBACK = decide_policy("127.0.0.1", require_keys=False, insecure=False)
INSECURE = decide_policy("0.0.0.0", require_keys=False, insecure=True)
BODY = text("a wonderful film")
CALLERS = {
    "one": Caller("key:one", "one", frozenset(["predict"])),
    "slow": Caller("key:slow", "slow", frozenset(["predict"]), Rate(2, 60)),
    "files": Caller("key:files", "files", frozenset(["batch"])),
}


def access_of(**parts: object) -> Access:
    """Return an access that asks everybody for a key, by a clock that stands still."""
    ticks = Ticks()
    counting = LocalCounting(clock=ticks)
    given = {"policy": EVERYBODY, "authenticator": Book(CALLERS), "counting": counting, "failures": counting}
    return Access(**{**given, **parts})  # type: ignore[arg-type]


@pytest.fixture
def ask_both(models: Models, serve: Serve, heat: Heat) -> Callable[..., list[tuple[Answer, Answer, bool]]]:
    """The way to send requests to two equal services, to one by the hot route and to one past it."""

    def ask_both(requests: list[bytes], **parts: object) -> list[tuple[Answer, Answer, bool]]:
        found = []
        with ExitStack() as stack:
            apps = [create_app(models, metrics=Counters(), access=access_of(**parts)) for _ in range(2)]
            hot, ordinary = [stack.enter_context(serve(app)) for app in apps]
            for request in requests:
                heat.answered.clear()
                both = parse(ask(hot, request)), parse(ask(ordinary, ordinarily(request)))
                found.append((*both, heat.answered == [True]))
        return found

    return ask_both


def bearer(name: str, *headers: str) -> bytes:
    """Return a request with a key."""
    return post(BODY, JSON, f"Authorization: Bearer {name}", *headers)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (bearer("one"), 200),
        (post(BODY, JSON, "X-API-Key: one"), 200),
        (post(BODY, JSON, "Authorization: Basic x", "X-API-Key: one"), 200),
        (post(BODY, JSON, "authorization: bearer  one "), 200),
        (post(BODY, JSON), 401),
        (bearer("nobody"), 401),
        (bearer("files"), 403),
        (post(BODY, JSON, "Authorization: Bearer"), 401),
    ],
)
def test_keys_are_asked_for_as_everywhere(
    ask_both: Callable[..., list[tuple[Answer, Answer, bool]]], request_: bytes, status: int
) -> None:
    [(hot, ordinary, was_hot)] = ask_both([request_])
    assert hot == ordinary
    assert (hot.status, was_hot) == (status, status == 200)


def test_a_rate_is_told_and_held(ask_both: Callable[..., list[tuple[Answer, Answer, bool]]]) -> None:
    found = ask_both([bearer("slow")] * 4)
    assert [hot for hot, _, _ in found] == [ordinary for _, ordinary, _ in found]
    assert [(hot.status, was_hot) for hot, _, was_hot in found] == [(200, True)] * 2 + [(429, False)] * 2
    assert [hot.headers["ratelimit-remaining"] for hot, _, _ in found] == ["1", "0", "0", "0"]


def test_the_rate_of_keys_and_that_of_addresses_hold(
    ask_both: Callable[..., list[tuple[Answer, Answer, bool]]],
) -> None:
    requests = [bearer("one"), bearer("one"), post(BODY, JSON), post(BODY, JSON)]
    found = ask_both(requests, policy=LOOPBACK, per_key=Rate(1, 60), per_address=Rate(1, 60))
    assert [hot for hot, _, _ in found] == [ordinary for _, ordinary, _ in found]
    assert [hot.status for hot, _, _ in found] == [200, 429, 200, 429]


def test_wrong_keys_are_counted_once_each(ask_both: Callable[..., list[tuple[Answer, Answer, bool]]]) -> None:
    found = ask_both([bearer("nobody")] * 3 + [bearer("one")], failed_keys=Rate(3, 60))
    assert [hot.status for hot, _, _ in found] == [401, 401, 401, 429]
    assert [hot for hot, _, _ in found] == [ordinary for _, ordinary, _ in found]


@pytest.mark.parametrize("policy", [LOOPBACK, INSECURE])
def test_where_nobody_is_asked_any_key_does(
    ask_both: Callable[..., list[tuple[Answer, Answer, bool]]], policy: object
) -> None:
    found = ask_both([post(BODY, JSON), bearer("one"), bearer("nobody"), bearer("files")], policy=policy)
    assert [hot for hot, _, _ in found] == [ordinary for _, ordinary, _ in found]
    assert [(hot.status, was_hot) for hot, _, was_hot in found] == [
        (200, True), (200, True), (200, False), (200, True),
    ]  # fmt: skip


def test_keys_that_cannot_be_read_are_the_applications_to_tell(
    ask_both: Callable[..., list[tuple[Answer, Answer, bool]]],
) -> None:
    [(hot, ordinary, was_hot)] = ask_both([bearer("one")], authenticator=Book(CALLERS, ready=False))
    assert (hot, hot.status, was_hot) == (ordinary, 503, False)
    [(hot, ordinary, was_hot)] = ask_both([bearer("one")], authenticator=None)
    assert (hot, hot.status, was_hot) == (ordinary, 503, False)
    [(hot, ordinary, was_hot)] = ask_both([post(BODY, JSON)], authenticator=None, policy=LOOPBACK)
    assert (hot, hot.status, was_hot) == (ordinary, 200, True)


class Elsewhere:
    """Counts where one has to wait for it."""

    fault = ""

    async def take(self, subject: str, rate: Rate) -> Verdict:
        """Let everybody pass."""
        return Verdict(True, 5, 4, 0.0, 1.0)


def test_rates_that_are_counted_elsewhere_are_waited_for(
    ask_both: Callable[..., list[tuple[Answer, Answer, bool]]],
) -> None:
    [(hot, ordinary, was_hot)] = ask_both([bearer("one")], counting=Elsewhere(), per_key=Rate(5, 60))
    assert (hot, was_hot) == (ordinary, False)
    assert hot.headers["ratelimit-remaining"] == "4"
    [(hot, ordinary, was_hot)] = ask_both([bearer("one")], counting=Elsewhere())
    assert (hot, was_hot) == (ordinary, True)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["X-Forwarded-For: 192.0.2.7"],
        ["X-Forwarded-For: 203.0.113.9, 192.0.2.7", "X-Forwarded-Proto: https"],
        ["X-Forwarded-For: 2001:db8::7", "X-Forwarded-Proto: HTTP"],
        ["X-Forwarded-For: nonsense", "X-Forwarded-Proto: ftp"],
        ["X-Forwarded-For: 192.0.2.7", "X-Forwarded-For: 192.0.2.8"],
    ],
)
@pytest.mark.parametrize("proxies", ["", "127.0.0.0/8"])
def test_what_proxies_tell_is_believed_as_everywhere(
    models: Models, serve: Serve, proxies: str, headers: list[str]
) -> None:
    log = Log()
    access = access_of(proxies=networks(proxies), per_address=Rate(9, 60), policy=LOOPBACK)
    with serve(create_app(models, metrics=Counters(), access=access, log=log)) as address:
        request = post(BODY, JSON, *headers)
        hot, ordinary = parse(ask(address, request)), parse(ask(address, ordinarily(request)))
    names = {name: value for name, value in hot.headers.items() if not name.startswith("ratelimit")}
    assert names == {n: v for n, v in ordinary.headers.items() if not n.startswith("ratelimit")}
    assert int(hot.headers["ratelimit-remaining"]) == int(ordinary.headers["ratelimit-remaining"]) + 1
    assert log.written[0].address == log.written[1].address


def test_places_are_forgotten_when_there_are_too_many(
    models: Models, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.service.hotroute.places.MOST", 2)
    log = Log()
    access = access_of(proxies=networks("127.0.0.0/8"), policy=LOOPBACK)
    with serve(create_app(models, metrics=Counters(), access=access, log=log)) as address:
        for number in range(5):
            ask(address, post(BODY, JSON, f"X-Forwarded-For: 192.0.2.{number}"))
    assert [each.address for each in log.written] == [f"192.0.2.{number}" for number in range(5)]
