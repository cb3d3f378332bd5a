"""The line of plain requests: order, turns, how long one waits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from assay.service.connections.line import AT_ONCE, OVERDUE, SMOOTHING, Line


@dataclass
class Clock:
    """Time that passes when it is told to."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    """A line, the loop in which it takes turns, and who was answered when."""

    clock: Clock
    line: Line
    loop: asyncio.AbstractEventLoop
    answered: list[int] = field(default_factory=list)

    def join(self, number: int, *, takes: float = 0.001) -> None:
        """Let a request join whose answer takes some seconds."""

        def answer() -> None:
            self.answered.append(number)
            self.clock.now += takes

        self.line.join(self.clock.now, answer, self.loop)


def during(scenario: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a scenario with a new line."""

    async def run() -> None:
        clock = Clock()
        await scenario(Scene(clock, Line(clock), asyncio.get_running_loop()))

    asyncio.run(run())


def test_a_few_are_answered_in_each_turn_of_the_loop_in_their_order() -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(AT_ONCE + 3):
            scene.join(number)
        assert scene.answered == []
        await asyncio.sleep(0)
        assert (scene.answered, len(scene.line)) == ([*range(AT_ONCE)], 3)
        scene.join(99)
        await asyncio.sleep(0)
        assert (scene.answered, len(scene.line)) == ([*range(AT_ONCE + 3), 99], 0)

    during(scenario)


def test_others_get_their_turn_between() -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(AT_ONCE + 1):
            scene.join(number)
        scene.loop.call_soon(scene.answered.append, -1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert scene.answered == [*range(AT_ONCE), -1, AT_ONCE]

    during(scenario)


@pytest.mark.parametrize(("reading", "answered"), [(0.004, AT_ONCE), (0.0195, 20), (5.0, 50)])
def test_a_turn_lasts_as_long_as_what_came_between(reading: float, answered: int) -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(50):
            scene.join(number)
        scene.clock.now += reading
        await asyncio.sleep(0)
        assert len(scene.answered) == answered

    during(scenario)


def test_the_time_without_a_line_is_no_reading() -> None:
    async def scenario(scene: Scene) -> None:
        scene.join(0)
        await asyncio.sleep(0)
        scene.clock.now += 60.0
        for number in range(2 * AT_ONCE):
            scene.join(number)
        await asyncio.sleep(0)
        assert len(scene.line) == AT_ONCE

    during(scenario)


def test_one_waits_for_what_those_before_take() -> None:
    async def scenario(scene: Scene) -> None:
        assert scene.line.wait == 0.0
        scene.join(0, takes=0.5)
        await asyncio.sleep(0)
        # Nothing was known of what answers take.
        cost = SMOOTHING * 0.5
        for number in range(4):
            scene.join(number, takes=cost)
        assert scene.line.wait == pytest.approx(4 * cost)
        await asyncio.sleep(0)
        assert scene.line.wait == 0.0

    during(scenario)


def test_a_pause_within_an_answer_counts_little() -> None:
    async def scenario(scene: Scene) -> None:
        for _ in range(200):
            scene.join(0, takes=0.01)
            await asyncio.sleep(0)
        scene.join(0, takes=60.0)
        await asyncio.sleep(0)
        scene.join(0)
        assert scene.line.wait == pytest.approx(0.01 * (1.0 + SMOOTHING))

    during(scenario)


def test_one_waits_longer_where_the_first_is_overdue() -> None:
    async def scenario(scene: Scene) -> None:
        scene.join(0)
        scene.clock.now += 3.0
        scene.join(1)
        assert scene.line.wait == 3.0 / OVERDUE

    during(scenario)


def test_one_that_fails_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(scene: Scene) -> None:
        scene.line.join(0.0, lambda: 1 // 0, scene.loop)
        scene.join(1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert scene.answered == [1]

    during(scenario)
    assert "ZeroDivisionError" in caplog.text
