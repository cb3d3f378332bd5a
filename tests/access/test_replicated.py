"""One limit over many replicas in Redis; when Redis is gone, each machine goes on by itself."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from assay.access import LocalCounting, Rate, RedisCounting, replicated, take
from assay.exceptions import ConfigError
from tests.access.counters import SECOND
from tests.servers import free_port, redis_missing, redis_server

needs_redis = pytest.mark.skipif(bool(redis_missing()), reason=redis_missing() or "Redis is here")


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the service."""
    return "asyncio"


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a request wait longer for Redis than a busy machine stands still: else it counts for itself."""
    monkeypatch.setattr(replicated, "TIMEOUT_SECONDS", 10.0)
    monkeypatch.setattr(replicated, "CONNECT_SECONDS", 10.0)


@asynccontextmanager
async def watched(counting: RedisCounting) -> AsyncIterator[RedisCounting]:
    """Run what looks for a lost Redis beside the block."""
    task = asyncio.create_task(counting.watch())
    async with asyncio.timeout(20):
        while not (counting.fault or counting._answered_at):
            await asyncio.sleep(0.01)
    try:
        yield counting
    finally:
        task.cancel()
        await asyncio.wait([task])


async def eventually(counting: RedisCounting, *, fault: bool) -> None:
    """Wait until there is a fault, or none."""
    async with asyncio.timeout(20):
        while bool(counting.fault) != fault:
            await asyncio.sleep(0.01)


@pytest.mark.anyio
@pytest.mark.usefixtures("_patient")
async def test_replicas_share_one_limit(redis_url: str) -> None:
    async with (
        watched(RedisCounting(redis_url, LocalCounting())) as first,
        watched(RedisCounting(redis_url, LocalCounting())) as second,
    ):
        rate = Rate(25, 86_400)
        verdicts = await asyncio.gather(
            *(each.take("key:shared", rate) for _ in range(20) for each in (first, second))
        )
        assert sum(each.allowed for each in verdicts) == 25
        assert (first.fault, second.fault) == ("", "")


@pytest.mark.anyio
@pytest.mark.usefixtures("_patient")
@pytest.mark.parametrize("rate", [Rate(3, 86_400), Rate(7, 3_600), Rate(1, 60)], ids=str)
async def test_redis_gives_the_verdicts_of_the_algorithm(redis_url: str, rate: Rate) -> None:
    async with watched(RedisCounting(redis_url, LocalCounting())) as counting:
        arrival, start = 0, 1_000 * SECOND
        for _ in range(rate.burst + 2):
            expected = take(arrival, start, rate)
            arrival = expected[0]
            verdict = await counting.take(f"key:same:{rate}", rate)
            same = (verdict.allowed, verdict.limit)
            assert same == (expected[1].allowed, expected[1].limit)
            # Redis's clock runs on between two requests.
            assert 0 <= verdict.remaining - expected[1].remaining <= 1
            assert verdict.reset == pytest.approx(expected[1].reset, abs=5)
            assert verdict.retry_after == pytest.approx(expected[1].retry_after, abs=5)
        assert counting.fault == ""


@pytest.mark.anyio
@pytest.mark.usefixtures("_patient")
async def test_what_is_counted_leaves_redis_when_it_is_spent(redis_url: str) -> None:
    from redis.asyncio import Redis

    async with (
        watched(RedisCounting(redis_url, LocalCounting())) as counting,
        Redis.from_url(redis_url) as look,
    ):
        await counting.take("key:brief", Rate(1, 60))
        assert 0 < await look.pttl("assay:rate:key:brief") <= 60_000
        await counting.take("key:spent", Rate(1, 1))
        async with asyncio.timeout(20):
            while await look.exists("assay:rate:key:spent"):
                await asyncio.sleep(0.05)


@pytest.mark.anyio
@pytest.mark.usefixtures("_patient")
async def test_rubbish_under_a_name_of_ours_stops_nobody(redis_url: str) -> None:
    from redis.asyncio import Redis

    async with (
        watched(RedisCounting(redis_url, LocalCounting())) as counting,
        Redis.from_url(redis_url) as look,
    ):
        await look.set("assay:rate:key:rubbish", "1e999")
        assert (await counting.take("key:rubbish", Rate(5, 60))).limit == 5
        await look.rpush("assay:rate:key:list", "x")
        assert (await counting.take("key:list", Rate(5, 60))).allowed


@needs_redis
@pytest.mark.anyio
@pytest.mark.usefixtures("_patient")
async def test_a_redis_that_is_killed_is_told_and_its_return_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replicated, "RETRY_SECONDS", 0.05)
    caplog.set_level(logging.WARNING)
    port, told, rate = free_port(), list[str](), Rate(2, 86_400)
    with redis_server(tmp_path, port) as (url, process):
        counting = RedisCounting(url, LocalCounting(), on_fault=told.append)
        async with watched(counting):
            assert (await counting.take("key:1", rate)).remaining == 1
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert [(await counting.take("key:1", rate)).allowed for _ in range(3)] == [True, True, False]
            assert "each machine counts requests for itself" in counting.fault
            await asyncio.sleep(0.2)
            with redis_server(tmp_path, port):
                await eventually(counting, fault=False)
                assert (await counting.take("key:1", rate)).remaining == 1
    assert [bool(fault) for fault in told] == [True, False]
    assert "s3cret" not in f"{caplog.text}{told}"
    assert f"127.0.0.1:{port}" in told[0]
    assert "is back" in caplog.text


@needs_redis
@pytest.mark.anyio
async def test_a_redis_that_is_silent_holds_requests_up_for_a_moment_only(tmp_path: Path) -> None:
    with redis_server(tmp_path) as (url, process):
        counting = RedisCounting(url, LocalCounting())
        async with watched(counting):
            # Of another subject: on a busy machine it may have been counted here and not there.
            await counting.take("key:0", Rate(5, 60))
            os.killpg(process.pid, signal.SIGSTOP)
            try:
                async with asyncio.timeout(10):
                    left = [(await counting.take("key:1", Rate(9, 60))).remaining for _ in range(5)]
                assert left == [8, 7, 6, 5, 4]
                assert "TimeoutError" in counting.fault
            finally:
                os.killpg(process.pid, signal.SIGCONT)


@pytest.mark.anyio
async def test_a_redis_that_never_was_is_told_at_the_first_request() -> None:
    told: list[str] = []
    counting = RedisCounting(f"redis://127.0.0.1:{free_port()}", LocalCounting(), on_fault=told.append)
    async with watched(counting):
        assert (await counting.take("key:1", Rate(5, 60))).remaining == 4
        assert (await counting.take("key:1", Rate(5, 60))).remaining == 3
    assert len(told) == 1


@pytest.mark.parametrize("url", ["http://host", "redis", "redis://user:s3cret@host:port/0"])
def test_what_is_no_address_of_a_redis_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match=r"ASSAY_REDIS is .*no address of a Redis") as refused:
        RedisCounting(url, LocalCounting())
    assert "s3cret" not in refused.value.message
