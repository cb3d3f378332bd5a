"""Registry or people's database fail in the middle: told at once, nothing half done, settled next."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assay.exceptions import DatabaseError, RegistryError, RegistryUnavailable
from tests.registry.conftest import Bench, registry_at
from tests.registry.dying import moved
from tests.registry.proxies import Fault, Proxy, proxy_before

FAULTS: tuple[Fault, ...] = ("cut", "cut after", "stall", "500")


def take_turns(bench: Bench) -> None:
    """Bring versions 1 and 2 into production, one after the other."""
    bench.register()
    bench.register(champion="1")
    bench.promote("1")
    bench.promote("2")


COMMIT = "POST /api/2.0/mlflow/registered-models/alias"


@pytest.fixture
def proxy(http_bench: Bench) -> Iterator[Proxy]:
    """A proxy before the server of a bench whose versions 1 and 2 have been in production."""
    take_turns(http_bench)
    with proxy_before(http_bench.uri) as proxy:
        yield proxy


def holder(bench: Bench) -> str:
    """Return which version is in production, of which there is one."""
    [number] = [number for number, (_, aliases) in bench.states().items() if "production" in aliases]
    return number


def fail_and_settle(bench: Bench, proxy: Proxy, fault: Fault, fatal: int) -> bool:
    """Roll back through a fault, check what is left, and return whether production moved."""
    before, was = bench.states(), holder(bench)
    target = "1" if was == "2" else "2"
    through = registry_at(proxy.uri, bench.home)
    proxy.patience.clear()
    proxy.arm(fault, fatal)
    with pytest.raises(RegistryUnavailable) as told:
        through.rollback(bench.model, target, who="ann")
    request = proxy.seen[-1]
    proxy.patience.set()
    moved_there = holder(bench) == target
    check_message(told.value.message, request, fault, moved_there)
    assert bench.faults() == []
    bench.settle()
    assert bench.states() == (moved(before, target) if moved_there else before)
    assert bench.settle() == []
    if not moved_there:
        bench.rollback(target)
    assert bench.states() == moved(before, target)
    return moved_there


def check_message(message: str, request: str, fault: Fault, moved_there: bool) -> None:
    """Check that an error says what failed, and how far things had come."""
    assert ("cannot be reached" if fault != "500" else "failed (500") in message
    if "is in production; what follows" in message or "is in production, and the audit log has it" in message:
        assert moved_there
    elif "Nothing was changed: production is as it was." in message:
        assert not moved_there
    elif "is settled by the next command" in message:
        assert moved_there == (fault == "cut after" or request != COMMIT)
    else:
        # Before anything was written; or after all was, where only the answer is missing.
        assert request.startswith("GET ")


def test_a_server_that_fails_at_any_request_leaves_one_whole_production_version(
    http_bench: Bench, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.arm("cut", 0)
    registry_at(proxy.uri, http_bench.home).rollback(http_bench.model, who="ann")
    requests = list(proxy.seen)
    writes = [number for number, request in enumerate(requests, 1) if not request.startswith("GET ")]
    # Every write meets every fault; reads, which all fail alike, take turns.
    trials = [(fault, number) for number in writes for fault in FAULTS]
    trials += [(FAULTS[n % 4], n) for n in range(1, len(requests) + 1) if n not in writes]
    came = {}
    for fault, number in sorted(trials):
        with monkeypatch.context() as patched:
            if fault == "stall":
                patched.setattr("assay.registry.rest.READ_SECONDS", 2.0)
            came[fault, number] = fail_and_settle(http_bench, proxy, fault, number)
    commit = requests.index(COMMIT) + 1
    for (fault, number), moved_there in came.items():
        assert moved_there == (number > commit or (number == commit and fault == "cut after"))


def test_a_server_that_only_says_that_it_moved_the_alias_is_not_believed(
    http_bench: Bench, proxy: Proxy
) -> None:
    before = http_bench.states()
    through = registry_at(proxy.uri, http_bench.home)

    def lie(what: str) -> None:
        if what == COMMIT:
            proxy.fault, proxy.fatal = "lie", len(proxy.seen)

    proxy.watch = lie
    with pytest.raises(RegistryError, match=r"put version 1 .* did not refuse, and has version 2 there"):
        through.rollback(http_bench.model, who="ann")
    check_abandoned(http_bench, before)


def test_a_server_that_is_down_changes_nothing(http_bench: Bench, proxy: Proxy) -> None:
    down = registry_at(proxy.uri, http_bench.home)
    before, log = http_bench.states(), http_bench.registry.history(http_bench.model)
    proxy.fatal = 1
    for call in (
        lambda: down.promote(http_bench.model, "1", who="ann", override="now"),
        lambda: down.rollback(http_bench.model, who="ann"),
        lambda: down.settle(http_bench.model, who="ann"),
    ):
        proxy.seen = []
        with pytest.raises(
            RegistryUnavailable, match=r"cannot be reached.*Check that the MLflow server runs"
        ):
            call()
    assert http_bench.states() == before
    assert http_bench.registry.history(http_bench.model) == log


def test_a_log_that_cannot_be_written_at_the_end_is_completed_by_the_next_command(
    http_bench: Bench, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.database.WAIT_SECONDS", 0.1)
    before = http_bench.states()
    with closing(
        sqlite3.connect(http_bench.home / "assay.db", isolation_level=None, check_same_thread=False)
    ) as other:

        def hold(what: str) -> None:
            if what == COMMIT:
                other.execute("BEGIN IMMEDIATE")
                proxy.watch = lambda _: None

        proxy.watch = hold
        with pytest.raises(DatabaseError, match=r"Another process.*Version 1 .* is in production; the next"):
            registry_at(proxy.uri, http_bench.home).rollback(http_bench.model, who="ann")
        other.execute("ROLLBACK")
    [told] = http_bench.settle()
    assert told.endswith("it is completed.")
    assert http_bench.states() == moved(before, "1")


@pytest.fixture
def turns(bench: Bench) -> Bench:
    """A bench on sqlite whose versions 1 and 2 have been in production."""
    take_turns(bench)
    return bench


def test_a_log_that_cannot_be_written_stops_everything_before_it_begins(
    turns: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.database.WAIT_SECONDS", 0.1)
    before = turns.registry.versions(turns.model)
    with closing(sqlite3.connect(turns.home / "assay.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="Another process"):
            turns.rollback()
    assert turns.registry.versions(turns.model) == before


def check_abandoned(bench: Bench, before: dict[str, tuple[str, tuple[str, ...]]]) -> None:
    """Check that nothing was changed, and that the next command goes on from there."""
    assert bench.states() == before
    [told] = bench.settle()
    assert told.endswith("it is marked as abandoned.")
    assert bench.rollback().number == "1"


def test_a_locked_store_is_told_and_changes_nothing(turns: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.registry.sql.CONNECT_SECONDS", 0.1)
    before = turns.states()
    with closing(sqlite3.connect(turns.home / "mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RegistryUnavailable, match=r"cannot be written: database is locked\. Wait for"):
            turns.rollback()
    check_abandoned(turns, before)


def test_a_store_on_a_full_disk_is_told_and_changes_nothing(
    turns: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.registry import promotion

    before, take_seat = turns.states(), promotion.take_seat

    def on_a_full_disk(*given: object) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            take_seat(*given)  # type: ignore[arg-type]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    with monkeypatch.context() as patched:
        patched.setattr(promotion, "take_seat", on_a_full_disk)
        with pytest.raises(RegistryUnavailable, match="cannot be written"):
            turns.rollback()
    check_abandoned(turns, before)


def test_a_store_that_may_not_be_written_is_told_and_changes_nothing(turns: Bench) -> None:
    before = turns.states()
    with closing(sqlite3.connect(turns.home / "mlflow.db")) as database:
        database.execute(
            "CREATE TRIGGER frozen BEFORE UPDATE ON registered_model_aliases "
            "BEGIN SELECT RAISE(ABORT, 'the registry is frozen this week'); END"
        )
    with pytest.raises(RegistryUnavailable, match="frozen this week"):
        turns.rollback()
    with closing(sqlite3.connect(turns.home / "mlflow.db")) as database:
        database.execute("DROP TRIGGER frozen")
    check_abandoned(turns, before)


def test_a_store_of_another_mlflow_is_not_written(turns: Bench, tmp_path: Path) -> None:
    from assay.registry.changes import Changes
    from assay.registry.seats import put_right
    from assay.registry.store import parse_store

    with closing(sqlite3.connect(turns.home / "mlflow.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'a1b2c3'")
        database.commit()
    with pytest.raises(RegistryError, match=r"schema 'a1b2c3'.*mlflow db upgrade"):
        put_right(parse_store(turns.uri), turns.model, Changes(aliases={"production": "1"}))
    with closing(sqlite3.connect(turns.home / "mlflow.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'dc11669786a5'")
        database.commit()
    assert holder(turns) == "2"
