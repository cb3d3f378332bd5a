"""How the threads of a service share the interpreter, and what its collector of garbage walks."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_SECONDS = 0.0005
"""How long a thread computes before it lets another that waits: the event loop waits for it behind each that
writes a log or looks for drift. A request would notice Python's 5 ms; switching itself takes some of the
processor, and more of it the shorter the turns are."""


@contextmanager
def paced() -> Iterator[None]:
    """Let threads take shorter turns while the block runs, and collect no garbage among what exists now."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    # The application and what runs beside it live as long as the process, as the models do.
    gc.freeze()
    try:
        yield
    finally:
        sys.setswitchinterval(before)
