"""Replicas share what they computed in Redis; when it is gone each has its own, and says so."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from assay.exceptions import ConfigError
from assay.service import open_cache
from assay.service.microbatching import RedisCache, replicated
from assay.service.microbatching.cache import key_of
from tests.servers import free_port, redis_missing, redis_server
from tests.service.microbatching.told import Told

needs_redis = pytest.mark.skipif(bool(redis_missing()), reason=redis_missing() or "Redis is here")
KEY = key_of("ab" * 32, "my secret is out")


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the service."""
    return "asyncio"


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a request wait longer for Redis than a busy machine stands still."""
    monkeypatch.setattr(replicated, "TIMEOUT_SECONDS", 10.0)


@asynccontextmanager
async def watched(cache: RedisCache) -> AsyncIterator[None]:
    """Run what looks for a lost Redis beside the block."""
    task = asyncio.create_task(cache.watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.usefixtures("_patient")
def test_what_one_keeps_another_gets(redis_url: str) -> None:
    one, other = RedisCache(redis_url), RedisCache(redis_url)
    unknown = key_of("ab" * 32, "unknown")
    one.put({KEY: b"\x00\xff12345"})
    assert other.get([unknown, KEY]) == [None, b"\x00\xff12345"]
    assert (one.fault, other.fault) == ("", "")


@pytest.mark.usefixtures("_patient")
def test_redis_holds_no_text_and_forgets_what_nobody_asks_for(redis_url: str) -> None:
    from redis import Redis

    cache = open_cache(10, redis_url, Told())
    assert cache is not None
    cache.keep({KEY: (1.0, 2.0)})
    with Redis.from_url(redis_url) as look:
        [name] = [each for each in look.scan_iter() if each.endswith(KEY)]
        assert b"secret" not in name
        assert 0 < look.ttl(name) <= replicated.KEEP_SECONDS
        look.delete(name)
        look.rpush(name, "x")
    assert cache.find([key_of("ab" * 32, "another"), KEY], 2) == [None, (1.0, 2.0)]


@needs_redis
@pytest.mark.anyio
@pytest.mark.usefixtures("_patient")
async def test_a_redis_that_is_killed_is_told_and_its_return_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replicated, "RETRY_SECONDS", 0.05)
    caplog.set_level(logging.WARNING)
    port, faults = free_port(), list[str]()
    with redis_server(tmp_path, port) as (url, process):
        cache = RedisCache(url, on_fault=faults.append)
        async with watched(cache):
            await asyncio.to_thread(cache.put, {KEY: b"1"})
            assert await asyncio.to_thread(cache.get, [KEY]) == [b"1"]
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert await asyncio.to_thread(cache.get, [KEY]) == [None]
            assert "each process has only what it computed itself" in cache.fault
            await asyncio.to_thread(cache.put, {KEY: b"2"})
            with redis_server(tmp_path, port):
                async with asyncio.timeout(60):
                    while cache.fault:
                        await asyncio.sleep(0.01)
                await asyncio.to_thread(cache.put, {KEY: b"3"})
                assert await asyncio.to_thread(cache.get, [KEY]) == [b"3"]
    assert [bool(fault) for fault in faults] == [True, False]
    assert "s3cret" not in f"{caplog.text}{faults}"
    assert "is back" in caplog.text


def test_a_redis_that_never_was_is_told_once() -> None:
    faults: list[str] = []
    cache = RedisCache(f"redis://127.0.0.1:{free_port()}", on_fault=faults.append)
    cache.put({KEY: b"1"})
    cache.look()
    assert cache.get([KEY, KEY]) == [None, None]
    assert len(faults) == 1


def test_a_cache_says_why_replicas_do_not_share_it() -> None:
    cache = open_cache(10, f"redis://127.0.0.1:{free_port()}", Told())
    assert cache is not None
    cache.keep({KEY: (1.0,)})
    assert cache.find([KEY], 1) == [(1.0,)]
    assert "cannot be used" in str(cache.state()["reason"])


def test_there_is_no_cache_where_none_is_wanted() -> None:
    assert open_cache(0, "", Told()) is None


@pytest.mark.parametrize("url", ["redis://user:s3cret@host:port/0", "http://host"])
def test_what_is_no_address_of_a_redis_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match=r"ASSAY_ENCODER_CACHE_REDIS is .*no address") as refused:
        RedisCache(url)
    assert "s3cret" not in refused.value.message
