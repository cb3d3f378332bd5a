"""Keys and rates through a real service: processes, sockets, a database that goes away."""

import signal
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from assay.access import KeyBook, keys, parse_rate, shared_file
from assay.keyring import open_keys
from assay.settings import Settings
from tests.running import read_until, run, serving, stop

TEXT = {"text": "free prize, call now"}
LIVES_SECONDS = 2.0
"""How long a key may be taken after it was revoked, where the machine does not stand still."""
PATIENCE_SECONDS = 60


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spam_artifact: Path) -> Iterator[Path]:
    """The home folder of a service over one artifact, in the environment."""
    folder = tmp_path / "home"
    monkeypatch.setenv("ASSAY_HOME", str(folder))
    monkeypatch.setenv("ASSAY_MODELS", str(spam_artifact))
    monkeypatch.setenv("ASSAY_WORKERS", "2")
    yield folder
    shared_file(folder).unlink(missing_ok=True)


@pytest.fixture
def book(home: Path) -> KeyBook:
    """The keys of the service."""
    return open_keys(Settings(home=home, user="ada"))


def asked(address: str, secret: str, path: str = "/predict", source: str = "127.0.0.1") -> httpx.Response:
    """Return the answer to one text; each request has a connection of its own, so any worker may get it."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source)) as client:
        return client.post(f"{address}{path}", json=TEXT, headers={"Authorization": f"Bearer {secret}"})


SOURCES = count(250)


def answers(address: str, *secrets: str) -> set[int]:
    """Return what eight requests get: of two workers, one may have looked later than the other.

    They come from an address of their own: ten wrong keys a minute are all that one may try.
    """
    source = "127.0.{}.{}".format(*divmod(next(SOURCES), 250))
    return {asked(address, each, source=source).status_code for each in secrets * (8 // len(secrets))}


def soon(found: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_key_is_read_twice_within_the_time_that_it_may_live_on() -> None:
    assert 2 * keys.READ_SECONDS <= LIVES_SECONDS


def test_a_key_works_soon_after_it_is_made_and_ends_soon_after_its_end(book: KeyBook) -> None:
    first = book.create("first", "predict", who="ada").secret
    with serving("--require-keys") as (address, process):
        assert asked(address, first).status_code == 200
        assert httpx.post(f"{address}/predict", json=TEXT).status_code == 401
        second = book.create("second", "predict", who="ada")
        soon(lambda: answers(address, second.secret) == {200})
        new = book.rotate("second", who="ada").secret
        soon(lambda: answers(address, new) == {200})
        assert answers(address, second.secret) == {200}
        book.revoke("second", who="ada")
        soon(lambda: answers(address, second.secret, new) == {401})
        assert asked(address, first, "/batch").status_code == 403
        assert stop(process, signal.SIGTERM) in (0, -signal.SIGTERM)


def test_a_database_that_goes_away_changes_nothing_for_clients(book: KeyBook, home: Path) -> None:
    secret = book.create("ci", "predict", who="ada").secret
    with serving("--require-keys") as (address, process):
        # Of the other worker: one that starts without the database lets nobody in.
        read_until(process, "startup complete")
        assert asked(address, secret).status_code == 200
        home.rename(home.with_name("away"))
        home.write_text("a file where the folder was")
        deadline = time.monotonic() + PATIENCE_SECONDS
        # The decision log, which lies in the folder too, may be the first to tell.
        while "keys" not in (faults := health(address, secret)["faults"]) and time.monotonic() < deadline:
            assert asked(address, secret).status_code == 200
            time.sleep(0.05)
        assert "cannot be used" in faults["keys"]
        assert [asked(address, secret).status_code for _ in range(5)] == [200] * 5
        home.unlink()
        home.with_name("away").rename(home)
        # Keys, registry and decision log each look again in their own time.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := health(address, secret))["status"] != "ok" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert (found["status"], found["faults"]) == ("ok", {})


def health(address: str, secret: str) -> dict[str, object]:
    """Return what /health says."""
    answer = httpx.get(f"{address}/health", headers={"X-API-Key": secret})
    return dict(answer.raise_for_status().json())


def test_a_rate_holds_over_connections_and_a_restart(book: KeyBook) -> None:
    secret = book.create("ci", "predict", who="ada", rate=parse_rate("10/d")).secret
    with serving("--require-keys") as (address, process):
        codes = [asked(address, secret).status_code for _ in range(8)]
        assert stop(process, signal.SIGTERM) in (0, -signal.SIGTERM)
    with serving("--require-keys") as (address, _):
        codes += [asked(address, secret).status_code for _ in range(8)]
        refused = asked(address, secret)
    assert sorted(codes) == [200] * 10 + [429] * 6
    assert (refused.headers["ratelimit-limit"], refused.headers["ratelimit-remaining"]) == ("10", "0")
    assert 8_000 < int(refused.headers["retry-after"]) <= 8_640


def test_a_client_on_this_machine_cannot_say_where_it_comes_from(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_RATE_PER_ADDRESS", "2/d")
    with serving() as (address, _):
        spoofed = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(3)]
        codes = [httpx.post(f"{address}/predict", json=TEXT, headers=each).status_code for each in spoofed]
    assert codes == [200, 200, 429]


def test_a_key_never_shows_in_what_the_service_says(book: KeyBook, home: Path) -> None:
    made = book.create("ci", "predict", who="ada")
    random = made.secret.split("_", 2)[2]
    with serving("--require-keys") as (address, process):
        for path in ("/predict", "/batch", "/nothing", f"/v1/comments:analyze?key={made.secret}"):
            answer = asked(address, made.secret, path)
            assert random not in answer.text + str(answer.headers)
        assert random not in asked(address, f"{made.secret}x").text
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)
    assert random not in str(said)
    assert made.key.hash not in str(said)


def test_another_address_needs_a_key_or_a_word(home: Path) -> None:
    refused = run("serve", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 1
    assert "0.0.0.0 asks every caller for a key, and there is no valid key" in refused.stderr
    assert "Traceback" not in refused.stderr
