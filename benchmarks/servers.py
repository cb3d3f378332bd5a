"""A contender as a process: started, asked, checked against the answers that it must give, stopped."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.asking import Client
from benchmarks.contenders import Contender
from benchmarks.load import post
from benchmarks.subject import Row

CHECKED = 50
"""Texts of each set that are asked before and after the load."""
TOLERANCE = 1e-6
START_SECONDS = 120.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.005
PORTS = range(18_000, 19_000, 10)
NEIGHBOURS = 3
"""MLServer wants three ports that follow each other."""


@dataclass(frozen=True)
class Server:
    """A running contender."""

    contender: Contender
    process: subprocess.Popen[bytes]
    port: int
    started: float
    """When it was executed, by ``time.perf_counter``."""

    def client(self) -> Client:
        """Return a new connection to it."""
        return Client(f"http://127.0.0.1:{self.port}")

    def ask(self, client: Client, row: Row) -> float:
        """Return how far the answer lies from the one it must give, in probability.

        Raises ValueError for another label or a probability that is further away than 1e-6.
        """
        return difference(self.contender, self._answer(client, row), row)

    def answer(self, client: Client, row: Row) -> tuple[str, float]:
        """Return the label that it gives a text, and its probability."""
        return self.contender.parse(self._answer(client, row))

    def _answer(self, client: Client, row: Row) -> Any:
        address = f"http://127.0.0.1:{self.port}"
        headers = [f"{name}: {value}" for name, value in self.contender.headers.items()]
        body = json.dumps(self.contender.body(row.text)).encode()
        status, answer = client.ask(post(address, self.contender.path, body, headers))
        if status != 200:
            raise ConnectionError(f"{self.contender.name} answers {status}: {answer}")
        return answer

    def check(self, count: int = CHECKED) -> float:
        """Return the largest difference in probability over some texts of each set."""
        rows = [row for several in self.contender.sets.values() for row in several[:count]]
        with closing(self.client()) as client:
            return max(self.ask(client, row) for row in rows)

    def wait(self) -> float:
        """Return the seconds from exec to the first good answer."""
        row, problem = next(iter(self.contender.sets.values()))[0], "no answer"
        while time.perf_counter() - self.started < START_SECONDS and self.process.poll() is None:
            try:
                with closing(self.client()) as client:
                    self.ask(client, row)
            except (OSError, IndexError, json.JSONDecodeError) as error:
                problem = repr(error)
                time.sleep(POLL_SECONDS)
            else:
                return time.perf_counter() - self.started
        raise RuntimeError(f"{self.contender.name} did not start: {problem}")


def difference(contender: Contender, answer: Any, row: Row) -> float:
    """Return how far an answer's probability lies from the one wanted; raises ValueError as ``ask``."""
    label, probability = contender.parse(answer)
    if not contender.checked:
        return 0.0
    apart = abs(probability - row.probability)
    if label != row.label or not apart <= TOLERANCE:
        raise ValueError(
            f"{contender.name} answers {label!r}, {probability!r}, not {row.label!r}, {row.probability!r}, "
            f"to {row.text[:60]!r}"
        )
    return apart


@contextmanager
def running(contender: Contender, logs: Path) -> Iterator[Server]:
    """Run a contender, its output in a file of ``logs``; it may not answer yet."""
    port = free_port()
    environment = {
        **os.environ,
        **{key: each.format(port=port) for key, each in contender.environment.items()},
    }
    logs.mkdir(parents=True, exist_ok=True)
    if contender.before:
        subprocess.run(_with_port(contender.before, port), env=environment, check=True, timeout=60)
    with (logs / f"{contender.name}.log").open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            _with_port(contender.command, port),
            env=environment,
            cwd=contender.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A session of its own: what it leaves behind is found by its group.
            start_new_session=True,
        )
        try:
            yield Server(contender, process, port, started)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, and what is left of those that it started."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOP_SECONDS)


def _with_port(words: Sequence[str], port: int) -> list[str]:
    return [word.format(port=port) for word in words]


def free_port() -> int:
    """Return the first of three neighbouring ports that are free."""
    # A server may bind its port seconds later: two benchmarks at the same time begin at different ones.
    first = os.getpid() % len(PORTS)
    ports: list[int] = [*PORTS[first:], *PORTS[:first]]
    for port in ports:
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for neighbour in range(port, port + NEIGHBOURS):
                made = held.enter_context(socket.socket())
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                made.bind(("127.0.0.1", neighbour))
            return port
    raise RuntimeError(f"no three ports are free from {PORTS.start} to {PORTS.stop}")
