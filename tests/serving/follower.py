"""A service that follows a registry, without HTTP around it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio

from assay.service import Models
from assay.serving.bell import Bell
from assay.serving.following import Following
from assay.serving.opening import open_served
from assay.settings import Settings
from assay.telemetry import Counters
from tests.moving import TEXTS


class Service:
    """What follows a registry, without HTTP around it."""

    def __init__(self, settings: Settings, models: Models | None = None, bell: Path | None = None) -> None:
        self.models, self.metrics = models or Models(), Counters()
        opener = partial(open_served, settings)
        self.following = Following(self.models, settings, self.metrics, open_version=opener, bell=Bell(bell))
        self.following.begin()

    def refresh(self) -> str | None:
        """Have it look now."""
        return anyio.run(self.following.refresh)

    def version(self, task: str = "spam") -> str | None:
        """Return which version answers."""
        served = self.models.seat(task).served
        return served.version if served else None

    def reason(self, task: str = "spam") -> str:
        """Return why another version does not answer."""
        missing = self.models.seat(task).missing
        return missing.reason if missing else ""

    def scores(self) -> dict[str, float | None]:
        """Return what it scores each text."""
        decisions = self.models.get("spam").decide(TEXTS)
        return {text: decision.score for text, decision in zip(TEXTS, decisions, strict=True)}

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Look again and again beside the block."""
        stop = threading.Event()

        async def run() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(self.following.run)
                while not stop.is_set():
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()

        thread = threading.Thread(target=anyio.run, args=(run,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def eventually(condition: Callable[[], bool]) -> bool:
    """Return True as soon as a condition holds; False when it does not within 20 seconds."""
    return any(condition() or threading.Event().wait(0.02) for _ in range(1_000))
