"""Long work of the kernel gives the interpreter up, so that other threads go on meanwhile."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from assay.config import FoldingConfig
from assay.estimators import Cascade, kernel
from assay.estimators.folding.compiled import compiled_fold

if kernel.compiled("folding") is None:
    pytest.skip("the kernel was not built: there was no C compiler", allow_module_level=True)

LONG = "a free f.r.e.e prize " * 50_000


@contextmanager
def ticking() -> Iterator[Callable[[], int]]:
    """Tell how often a thread got the interpreter that takes it only where it was given up."""
    ticks, done, before = 0, threading.Event(), sys.getswitchinterval()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    sys.setswitchinterval(60.0)
    thread.start()
    try:
        yield lambda: ticks
    finally:
        done.set()
        sys.setswitchinterval(before)
        thread.join()


def gave_up(work: Callable[[], object]) -> bool:
    """Return whether another thread got its turn within a piece of work."""
    with ticking() as ticks:
        for _ in range(50):
            before = ticks()
            work()
            if ticks() > before:
                return True
    return False


def test_a_long_text_is_folded_without_the_lock() -> None:
    fold = compiled_fold(FoldingConfig())
    assert fold is not None
    assert gave_up(lambda: fold(LONG))
    assert not gave_up(lambda: fold(LONG[:10_000]))


def test_long_texts_are_scored_without_the_lock(spam_cascade: Cascade) -> None:
    model = spam_cascade.model
    assert gave_up(lambda: model.logits([LONG]))
    assert not gave_up(lambda: model.logits([LONG[:10_000]]))
