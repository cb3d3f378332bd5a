"""What a process does before it serves: for a quick start, little memory, and workers that share it."""

import gc
import os
from importlib import import_module

LIBRARIES = ("uvicorn.lifespan.on", "uvicorn.loops.auto", "uvloop", "pydantic.v1", "safetensors")
"""What a server imports when it starts: imported before, its pages are shared by all workers."""


def prepare() -> None:
    """Prepare this process to become a service; to be called before numpy is imported.

    A service multiplies no matrices, and OpenBLAS would hold a thread and a buffer for each core.
    Collecting garbage between imports walks all that there is, again and again, and finds next to nothing:
    whoever builds the application collects once and goes on collecting then.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()


def hold_still() -> None:
    """Get this process ready to be forked.

    What it holds is imported whole, and taken from the garbage collector, which writes into each object that
    it looks at: a page that is written to is shared no more.
    """
    for name in LIBRARIES:
        import_module(name)
    gc.freeze()
