"""Work in a thread that nobody has to wait for: neither who asked for it nor the process when it ends."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")

PAUSE_SECONDS = 0.005
"""How often the event loop looks whether the work is done."""


class Detached(Generic[T]):
    """A piece of work that began and may hang, as on a server that does not answer.

    Its errors are kept and raised where its result is asked for.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None
        # A daemon: threads of anyio's pool are waited for when the process ends.
        self._thread = threading.Thread(target=self._run, name="assay detached", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for so long at most, and return whether the work is done."""
        self._thread.join(max(seconds, 0.0))
        return not self._thread.is_alive()

    def result(self) -> T:
        """Return what the work gave, once it is done; raises what it raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]

    async def finished(self) -> T:
        """Return the result as soon as there is one, without holding up the event loop."""
        while self._thread.is_alive():
            await anyio.sleep(PAUSE_SECONDS)
        return self.result()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asks
            self._error = error
