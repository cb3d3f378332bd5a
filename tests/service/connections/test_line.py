"""The line of plain requests: order, turns, how long its first one has waited."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from assay.service.connections.line import AT_ONCE, Line


def during(scenario: Callable[[Line, asyncio.AbstractEventLoop], Awaitable[None]]) -> None:
    """Run a scenario with a new line."""

    async def run() -> None:
        await scenario(Line(), asyncio.get_running_loop())

    asyncio.run(run())


def test_a_few_are_answered_in_each_turn_of_the_loop_in_their_order() -> None:
    answered: list[int] = []

    async def scenario(line: Line, loop: asyncio.AbstractEventLoop) -> None:
        for number in range(AT_ONCE + 3):
            line.join(float(number), lambda number=number: answered.append(number), loop)  # type: ignore[misc]
        assert answered == []
        await asyncio.sleep(0)
        assert (len(answered), len(line)) == (AT_ONCE, 3)
        line.join(99.0, lambda: answered.append(99), loop)
        await asyncio.sleep(0)
        assert len(line) == 0

    during(scenario)
    assert answered == [*range(AT_ONCE + 3), 99]


def test_others_get_their_turn_between() -> None:
    order: list[str] = []

    async def scenario(line: Line, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(AT_ONCE + 1):
            line.join(0.0, lambda: order.append("line"), loop)
        loop.call_soon(order.append, "other")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    during(scenario)
    assert order == [*["line"] * AT_ONCE, "other", "line"]


def test_the_first_one_says_how_long_is_waited() -> None:
    async def scenario(line: Line, loop: asyncio.AbstractEventLoop) -> None:
        assert line.waited == 0.0
        line.join(time.perf_counter() - 5.0, lambda: None, loop)
        line.join(time.perf_counter() - 1.0, lambda: None, loop)
        assert 5.0 <= line.waited < 25.0
        await asyncio.sleep(0)
        assert (line.waited, len(line)) == (0.0, 0)

    during(scenario)


def test_one_that_fails_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    answered: list[int] = []

    async def scenario(line: Line, loop: asyncio.AbstractEventLoop) -> None:
        line.join(0.0, lambda: 1 // 0, loop)
        line.join(0.0, lambda: answered.append(1), loop)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    during(scenario)
    assert answered == [1]
    assert "ZeroDivisionError" in caplog.text
