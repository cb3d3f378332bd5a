"""Commands as processes of their own: a service to ask, a run to kill."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

MEASURING = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
ASSAY = (sys.executable, "-m", "assay.cli")
STOP_SECONDS = 30
PATIENCE_SECONDS = 120


def unmeasured() -> dict[str, str]:
    """Return the environment for a process whose coverage is not measured.

    One that may not write files; or one that Ctrl+C may meet anywhere, also where coverage holds a lock that
    it would wait for as it ends.
    """
    return {name: value for name, value in os.environ.items() if name not in MEASURING}


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; it may fail."""
    return subprocess.run([*ASSAY, *arguments], capture_output=True, text=True, timeout=120, **options)  # type: ignore[call-overload,no-any-return]


@contextmanager
def started(
    *arguments: str, patience: float = PATIENCE_SECONDS, measured: bool = True
) -> Iterator[subprocess.Popen[str]]:
    """Run a command beside the block, its messages on a pipe; it is killed at the end unless it has ended."""
    environment = os.environ if measured else unmeasured()
    with ExitStack() as stack:
        yield stack.enter_context(_started(arguments, environment | _own_folder(stack), patience))


def _own_folder(stack: ExitStack) -> dict[str, str]:
    """Return where a command keeps what a killed one leaves behind; as the test says, if it says."""
    if "TMPDIR" in os.environ:
        return {}
    folder = tempfile.TemporaryDirectory(prefix="assay-test-", ignore_cleanup_errors=True)
    return {"TMPDIR": stack.enter_context(folder)}


@contextmanager
def _started(
    arguments: Sequence[str], environment: dict[str, str], patience: float
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*ASSAY, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=environment,
    )  # fmt: skip
    # A process that never says what a test waits for must fail the test, not hold it for ever.
    watchdog = threading.Timer(patience, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Return where a pattern stands in the messages of a process, read up to that line."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"{pattern!r} was never said, only:\n{''.join(seen)}")


@contextmanager
def serving(
    *arguments: str, patience: float = PATIENCE_SECONDS
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run ``assay serve`` on a free port; give its address, once it answers, and its process."""
    with started("serve", "--port", "0", *arguments, patience=patience) as process:
        address = read_until(process, r"then (http://\S+) answers")[1]
        read_until(process, r"startup complete")
        yield address, process


class Drained:
    """What a process still says, read beside it: with a full pipe it would wait for ever."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._lines = stream, list[str]()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._stream:
            self._lines.extend(self._stream)

    def to_the_end(self) -> list[str]:
        """Return all lines of a process that ends, and of those that it started."""
        self._thread.join(STOP_SECONDS)
        assert not self._thread.is_alive(), "somebody holds the messages of the process open"
        return self._lines


def drained(process: subprocess.Popen[str]) -> Drained:
    """Read from now on what a process says; nobody else may read it."""
    stream, process.stderr = process.stderr, None
    assert stream is not None
    return Drained(stream)


def stop(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """Send a signal and return the exit code."""
    process.send_signal(number)
    return process.wait(STOP_SECONDS)


def files_under(folder: Path) -> Sequence[str]:
    """Return the files below a folder, sorted, as paths in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
