"""What stands in for a network where a test decides when it answers, and counts what it is given."""

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.estimators import EncoderModel, Runtime
from tests.encoders import tiny_onnx, tiny_spec, tiny_tokenizer

PATIENCE_SECONDS = 60.0


class Network:
    """Answers rows with their sums, when it is let; remembers its batches."""

    def __init__(self, *, open: bool = True, breaks_at: int = -1) -> None:
        self.batches: list[list[list[int]]] = []
        self.begun = threading.Semaphore(0)
        self._gate = threading.Event()
        self.breaks_at = breaks_at
        if open:
            self._gate.set()

    def let(self) -> None:
        """Let it answer."""
        self._gate.set()

    def __call__(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return the logits of rows, shape (rows, 1)."""
        self.batches.append([list(row) for row in rows])
        self.begun.release()
        assert self._gate.wait(PATIENCE_SECONDS)
        if any(self.breaks_at in row for row in rows):
            raise RuntimeError("out of memory, say")
        return np.array([[float(sum(row))] for row in rows])

    def wait_until_begun(self) -> None:
        """Wait until a batch more is in its hands."""
        assert self.begun.acquire(timeout=PATIENCE_SECONDS)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.002)


class GatedEncoder(EncoderModel):
    """A tiny encoder that answers when it is let, and fails where a test wants it to."""

    gate: Network

    @classmethod
    def made(cls, *, open: bool = True, sessions: int = 1) -> "GatedEncoder":
        """Return one with its gate."""
        spec = tiny_spec(("negative", "positive"))
        runtime = Runtime(sessions=sessions, threads=1)
        encoder = cls(spec, tiny_onnx(), tiny_tokenizer(), runtime=runtime)
        encoder.gate = Network(open=open)
        return encoder

    def logits_of_ids(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return the logits of rows, once it is let."""
        self.gate(rows)
        return super().logits_of_ids(rows)
