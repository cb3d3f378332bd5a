"""Networks ready to run, handed out to the threads that ask."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.estimators.encoder.batches import batches_of, padded
from assay.exceptions import ArtifactError, ConfigError, MissingExtra

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Device = Literal["auto", "cpu", "cuda"]
CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
BUDGETS = {CPU: 256, CUDA: 16_384}
"""Tokens of a batch. A core's cache holds what few tokens become: larger batches cost more a text there."""


@dataclass(frozen=True)
class Runtime:
    """Where and with how many threads a network runs.

    ``sessions`` run at the same time, each with ``threads`` (0: the process's cores, shared out over the
    sessions). ``device`` is ``auto`` (a GPU where ONNX Runtime has one), ``cpu`` or ``cuda``. ``pin`` keeps
    each of several sessions on cores of its own, where together they have a thread for every core of the
    process. ``spin`` lets threads that wait for each other keep their cores, which is for a machine with
    nothing else to do. ``budget`` is the most tokens of one batch, padding included (0: ``BUDGETS`` has it).
    """

    sessions: int = 1
    threads: int = 0
    device: Device = "auto"
    pin: bool = False
    spin: bool = False
    budget: int = 0

    def __post_init__(self) -> None:
        least = {"sessions": 1, "threads": 0, "budget": 0}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise ValueError(f"{name} must be at least {value}, not {getattr(self, name)!r}.")

    def cores(self) -> tuple[int, list[list[int]]]:
        """Return the threads of a session, and the cores of each session; none where it may run anywhere."""
        there = sorted(os.sched_getaffinity(0))
        threads = self.threads or max(1, len(there) // self.sessions)
        if not self.pin or self.sessions == 1 or self.sessions * threads != len(there):
            return threads, [[] for _ in range(self.sessions)]
        return threads, [there[at : at + threads] for at in range(0, len(there), threads)]


class _Seat(NamedTuple):
    """A session for one thread at a time, and the core that this thread keeps to, or None."""

    session: "InferenceSession"
    core: int | None


class Sessions:
    """A pool of sessions of one network; each is in one thread's hands at a time.

    Raises ArtifactError for a network that ONNX Runtime does not take, ConfigError for a device that it does
    not have, MissingExtra without ONNX Runtime.
    """

    def __init__(self, network: bytes, runtime: Runtime) -> None:
        provider = _provider(runtime.device)
        self.runtime = runtime
        threads, places = runtime.cores()
        self._free: SimpleQueue[_Seat] = SimpleQueue()
        session = None
        for cores in places:
            # A session of one thread works in the thread that asks. Several can ask the same one, which has
            # the weights in memory once.
            if session is None or threads > 1:
                session = _opened(network, threads, cores, provider, spin=runtime.spin)
            self._free.put(_Seat(session, cores[0] if cores else None))
        self.budget = runtime.budget or BUDGETS[_started(session, runtime.device)]

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the logits, shape (rows, logits), of padded ids and their mask, both (rows, length)."""
        seat = self._free.get()
        try:
            with _kept_to(seat.core):
                [logits] = seat.session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
        finally:
            self._free.put(seat)
        found: NDArray[np.float32] = logits
        return found

    def run_rows(
        self, rows: Sequence[Sequence[int]], pad: int, *, budget: int | None = None
    ) -> NDArray[np.float32]:
        """Return what ``run`` gives for rows of token ids, shape (rows, logits); there must be rows.

        They run in batches of neighbours in length of at most ``budget`` tokens, by default ``self.budget``,
        as many at once as there are sessions.
        """
        batches = batches_of([len(row) for row in rows], budget=budget or self.budget)

        def run(batch: list[int]) -> NDArray[np.float32]:
            return self.run(*padded([rows[at] for at in batch], pad))

        at_once = min(self.runtime.sessions, len(batches))
        if at_once < 2:
            values = [run(batch) for batch in batches]
        else:
            with ThreadPoolExecutor(at_once) as pool:
                values = list(pool.map(run, batches))
        found = np.empty((len(rows), values[0].shape[1]), np.float32)
        for batch, each in zip(batches, values, strict=True):
            found[batch] = each
        return found


@contextmanager
def _kept_to(core: int | None) -> Iterator[None]:
    """Keep this thread to a core meanwhile."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _provider(device: Device) -> str:
    """Return what a network runs on."""
    there = _onnxruntime().get_available_providers()
    if device == "cuda" and CUDA not in there:
        raise ConfigError(
            f"The device 'cuda' was asked for, and ONNX Runtime has only {there}. "
            "Install onnxruntime-gpu in place of onnxruntime, or choose the device 'cpu' or 'auto'."
        )
    return CUDA if device != "cpu" and CUDA in there else CPU


def _started(session: Any, device: Device) -> str:
    """Return what a session runs on: ONNX Runtime leaves out a device that does not start."""
    provider: str = session.get_providers()[0]
    if device == "cuda" and provider != CUDA:
        raise ConfigError(
            "The device 'cuda' was asked for, and ONNX Runtime could not start it: its log says why. "
            "Choose the device 'cpu' or 'auto' to go on without it."
        )
    return provider


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("Answering with an encoder", package="onnxruntime", extra="onnx") from error
    return onnxruntime


def _opened(
    network: bytes, threads: int, cores: Sequence[int], provider: str, *, spin: bool
) -> "InferenceSession":
    onnxruntime = _onnxruntime()
    providers = [CPU] if provider == CPU else [CUDA, CPU]
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # With other work on the cores, two threads took five times as long where they waited by spinning.
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    # Every pair of rows and length would leave a plan of its memory behind.
    options.enable_mem_pattern = False
    # Its errors are raised; it need not write them to the standard error as well.
    options.log_severity_level = 4
    if threads > 1 and cores:
        # The first thread is the one that asks; ONNX Runtime counts cores from 1.
        others = ";".join(str(core + 1) for core in cores[1:])
        options.add_session_config_entry("session.intra_op_thread_affinities", others)
    try:
        session: InferenceSession = onnxruntime.InferenceSession(
            network, options, providers=providers, enable_fallback=False
        )
    except Exception as error:
        raise ArtifactError(f"ONNX Runtime does not take model.onnx: {error}") from error
    return session
