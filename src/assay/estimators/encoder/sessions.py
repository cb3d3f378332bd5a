"""Networks ready to run, handed out to the threads that ask."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from assay.exceptions import ArtifactError, ConfigError, MissingExtra

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Device = Literal["auto", "cpu", "cuda"]
CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"


@dataclass(frozen=True)
class Runtime:
    """Where and with how many threads a network runs.

    ``sessions`` run at the same time, each with ``threads`` (0: the process's cores, shared out over the
    sessions). ``device`` is ``auto`` (a GPU where ONNX Runtime has one), ``cpu`` or ``cuda``. ``pin`` keeps
    each session on cores of its own. ``budget`` is the number of tokens, padding included, of one batch.
    """

    sessions: int = 1
    threads: int = 0
    device: Device = "auto"
    pin: bool = True
    budget: int = 4096


class Sessions:
    """A pool of sessions of one network; each is in one thread's hands at a time.

    Raises ArtifactError for a network that ONNX Runtime does not take, ConfigError for a device that it does
    not have, MissingExtra without ONNX Runtime.
    """

    def __init__(self, network: bytes, runtime: Runtime) -> None:
        self.runtime = runtime
        threads = runtime.threads or max(1, len(os.sched_getaffinity(0)) // runtime.sessions)
        self._free: SimpleQueue[InferenceSession] = SimpleQueue()
        for _ in range(runtime.sessions):
            self._free.put(_opened(network, threads, runtime.device))

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits, shape (rows, logits), of padded ids and their mask, both (rows, length)."""
        with self._session() as session:
            [logits] = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        found: NDArray[np.float32] = logits
        return found

    @contextmanager
    def _session(self) -> "Iterator[InferenceSession]":
        session = self._free.get()
        try:
            yield session
        finally:
            self._free.put(session)


def _opened(network: bytes, threads: int, device: Device) -> "InferenceSession":
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("Answering with an encoder", package="onnxruntime", extra="onnx") from error
    there = onnxruntime.get_available_providers()
    if device == "cuda" and CUDA not in there:
        raise ConfigError(
            f"The device 'cuda' was asked for, and ONNX Runtime has only {there}. "
            "Install onnxruntime-gpu in place of onnxruntime, or choose the device 'cpu' or 'auto'."
        )
    providers = [CPU] if device == "cpu" or CUDA not in there else [CUDA, CPU]
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Every pair of rows and length would leave a plan of its memory behind.
    options.enable_mem_pattern = False
    # Its errors are raised; it need not write them to the standard error as well.
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(network, options, providers=providers)
    except Exception as error:
        raise ArtifactError(f"ONNX Runtime does not take model.onnx: {error}") from error
