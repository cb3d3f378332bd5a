"""Work that is done again and again beside the service."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def taking_turns(name: str, turn: Callable[[], float], pause: float) -> Iterator[None]:
    """Take turns in a thread of its own while the block runs; the end waits for the one under way.

    Parameters
    ----------
    name
        The thread's.
    turn
        Does the work and returns how many seconds to wait until the next turn; raises nothing.
    pause
        Seconds until the first.
    """
    stopping = threading.Event()

    def run() -> None:
        wait = pause
        while not stopping.wait(wait):
            wait = turn()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
