"""Pauses in long work."""

import pytest

from assay.telemetry import breath
from assay.telemetry.breath import HOLD_SECONDS, PAUSE_SECONDS, Breath


class Clock:
    """A clock that stands until it is told to go on, or somebody sleeps by it."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def perf_counter(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds


def test_work_pauses_when_it_has_gone_on_for_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(breath, "time", clock)
    taken = Breath()
    for _ in range(100):
        clock.now += HOLD_SECONDS / 3.9
        taken.take()
    assert clock.slept == [PAUSE_SECONDS] * 25
