"""What it costs to count one request: Assay's ways beside those of ``limits``, where that is installed.

python -m benchmarks.rates [redis://127.0.0.1:6379/0]
"""

import asyncio
import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from assay.access import Counting, LocalCounting, Rate, RedisCounting, SharedCounting

RUNS, CALLS = 9, 2_000
SUBJECT, RATE, ITEM = "key:1f2e3d4c", Rate(10_000, 1), "10000/second"
STRATEGIES = ("FixedWindowRateLimiter", "MovingWindowRateLimiter", "SlidingWindowCounterRateLimiter")


async def measure(name: str, call: Callable[[], Awaitable[object]], calls: int = CALLS) -> None:
    """Say what one call costs: median over runs, of the processor and of the clock."""
    spent, waited = [], []
    for _ in range(RUNS):
        cpu, clock = time.process_time(), time.perf_counter()
        for _ in range(calls):
            await call()
        spent.append((time.process_time() - cpu) / calls * 1e6)
        waited.append((time.perf_counter() - clock) / calls * 1e6)
    sys.stdout.write(
        f"{name:58} {statistics.median(spent):7.1f} us of processor {statistics.median(waited):7.1f} us\n"
    )


async def measure_ours(name: str, counting: Counting, calls: int = CALLS) -> None:
    """Measure one of Assay's ways, headers included."""

    async def ask() -> object:
        return (await counting.take(SUBJECT, RATE)).headers()

    await measure(f"assay: {name}", ask, calls)


async def measure_limits(name: str, storage: Any, calls: int = CALLS) -> None:
    """Measure the package's strategies: a hit, and a hit with what the headers need."""
    strategies = importlib.import_module("limits.aio.strategies")
    item = importlib.import_module("limits").parse(ITEM)
    for strategy in STRATEGIES:
        limiter = getattr(strategies, strategy)(storage)

        async def ask(limiter: Any = limiter, strategy: str = strategy) -> object:
            await limiter.hit(item, strategy, SUBJECT)
            return await limiter.get_window_stats(item, strategy, SUBJECT)

        await measure(f"limits: {name}, {strategy}", ask, calls)


async def main(url: str | None) -> None:
    """Measure everything that there is."""
    local = LocalCounting()
    await measure_ours("a process", local)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        shared = SharedCounting(Path(folder) / "rates")
        await measure_ours("all workers of a machine", shared)
        shared.close()
    if url:
        counting = RedisCounting(url, local)
        watch = asyncio.create_task(counting.watch())
        await asyncio.sleep(1)
        await measure_ours(f"Redis {counting.fault}", counting, CALLS // 4)
        watch.cancel()
        await asyncio.wait([watch])
    try:
        storages = importlib.import_module("limits.aio.storage")
    except ImportError:
        sys.stdout.write("The package 'limits' is not installed: nothing to compare with.\n")
        return
    await measure_limits("a process", storages.MemoryStorage())
    if url:
        storage = storages.RedisStorage(f"async+{url}", implementation="redispy")
        await measure_limits("Redis", storage, CALLS // 4)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
