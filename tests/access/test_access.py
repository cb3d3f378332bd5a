"""Access as the settings describe it."""

import asyncio
import logging
from pathlib import Path

import pytest

from assay.access import (
    KeyBook,
    Keys,
    LocalCounting,
    Rate,
    RedisCounting,
    SharedCounting,
    open_access,
    shared_file,
)
from assay.audit import AuditLog
from assay.database import Database
from assay.exceptions import ConfigError
from assay.settings import Settings
from tests.servers import free_port


@pytest.fixture(autouse=True)
def no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let shared files lie in the home folder, so that tests leave none behind."""
    monkeypatch.setattr("assay.access.shared.MEMORY", Path("/nonexistent"))


def test_on_loopback_nothing_is_opened_or_written(tmp_path: Path) -> None:
    access = open_access(Settings(home=tmp_path))
    assert (access.authenticator, access.faults, access.ready) == (None, {}, True)
    assert isinstance(access.counting, LocalCounting)
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_keys_are_read_while_it_runs(tmp_path: Path) -> None:
    database = Database(Settings(home=tmp_path).people)
    made = KeyBook(database, AuditLog(database)).create("ci", "predict", who="ada")
    access = open_access(Settings(home=tmp_path, host="0.0.0.0", rate_per_key="5/s", rate_per_address="1/m"))
    assert isinstance(access.authenticator, Keys)
    assert isinstance(access.counting, SharedCounting)
    assert (access.per_key, access.per_address, access.ready) == (Rate(5, 1), Rate(1, 60), False)

    async def identified() -> bool:
        async with access.running():
            assert access.ready
            return access.authenticator is not None and access.authenticator.identify(made.secret) is not None

    assert asyncio.run(identified())
    assert asyncio.run(identified())


def test_a_database_that_is_down_at_the_start_is_told_and_lets_nobody_in(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    settings = Settings(
        host="0.0.0.0", home=tmp_path, database=f"postgresql://a:s3cret@127.0.0.1:{free_port()}/x"
    )
    access = open_access(settings, on_fault=lambda part, fault: told.append((part, fault)))

    async def started() -> None:
        async with access.running():
            assert not access.ready

    asyncio.run(started())
    assert told[0][0] == "keys"
    assert access.faults["keys"] == told[0][1]
    assert "s3cret" not in str(told)


def test_redis_counts_before_the_machine_does_and_its_absence_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    settings = Settings(home=tmp_path, redis=f"redis://127.0.0.1:{free_port()}", rate_per_address="1/m")
    access = open_access(settings, on_fault=lambda part, _: told.append(part))
    assert isinstance(access.counting, RedisCounting)

    async def started() -> None:
        async with access.running():
            await access.counting.take("address:192.0.2.1", Rate(1, 1))

    asyncio.run(started())
    assert told == ["rates"]
    assert "each machine counts" in access.faults["rates"]


def test_where_workers_cannot_count_together_each_counts_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(home=tmp_path, rate_per_address="1/m")
    shared_file(tmp_path).mkdir()
    access = open_access(settings)
    assert isinstance(access.counting, LocalCounting)
    assert "cannot be counted for all workers" in access.faults["rates"]
    assert "Each worker counts for itself" in caplog.text


def test_insecure_is_a_warning_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    access = open_access(Settings(home=tmp_path, host="0.0.0.0", insecure=True))
    assert "listens on 0.0.0.0 and asks nobody for a key (--insecure)" in caplog.text
    assert (access.policy.everybody, access.policy.admins, access.ready) == (False, True, True)


@pytest.mark.parametrize(("setting", "value"), [("rate_per_key", "fast"), ("rate_per_address", "1/y")])
def test_a_setting_that_cannot_be_used_stops_the_start(tmp_path: Path, setting: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"'{value}'"):
        open_access(Settings(home=tmp_path, **{setting: value}))
