"""Clients that ask a service without pause and check every answer."""

import json
import multiprocessing
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlsplit

BATCH = 50
"""Texts of every second request; the others bring one."""

Scores = Mapping[str, Sequence[float | None]]
"""What each version scores the texts, in their order."""


@dataclass
class Seen:
    """What clients saw: answers by version, statuses but 200, answers that are of no one version."""

    versions: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    mixed: int = 0
    singles: list[tuple[float, float]] = field(default_factory=list)
    """When each request with one text was sent, and its seconds."""

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(
            self.versions + other.versions,
            self.failures + other.failures,
            self.mixed + other.mixed,
            self.singles + other.singles,
        )


class Client:
    """One kept connection; a request is bytes that were put together before."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host = (parts.hostname or "", parts.port or 80)
        self._socket = socket.create_connection(self._host, timeout=60)

    def ask(self, request: bytes) -> tuple[int, Any]:
        """Send a request and return the status and the body of its answer."""
        self._socket.sendall(request)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].decode("latin-1").lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        while len(data) < end + 4 + length:
            data += self._more()
        return int(head[9:12]), json.loads(data[end + 4 :])

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _more(self) -> bytes:
        got = self._socket.recv(65536)
        if not got:
            raise ConnectionError("The service closed the connection.")
        return got


def request_of(path: str, body: object) -> bytes:
    """Return the bytes of a POST request."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


@contextmanager
def asking(
    address: str, task: str, texts: Sequence[str], scores: Scores, clients: int
) -> Iterator[list[Seen]]:
    """Run clients, each a process, beside the block; the list holds what they saw after it."""
    context = multiprocessing.get_context("spawn")
    stop, answers = context.Event(), context.SimpleQueue()
    arguments = (address, task, list(texts), dict(scores), stop, answers)
    processes = [context.Process(target=_run, args=arguments) for _ in range(clients)]
    for process in processes:
        process.start()
    seen: list[Seen] = []
    try:
        yield seen
    finally:
        stop.set()
        seen += [answers.get() for _ in processes]
        for process in processes:
            process.join()


def _run(address: str, task: str, texts: list[str], scores: Scores, stop: Event, answers: Any) -> None:
    seen, client = Seen(), Client(address)
    path, many = f"/v1/tasks/{task}", (texts * BATCH)[:BATCH]
    singles = [request_of(f"{path}/predict", {"text": text}) for text in texts]
    batch = request_of(f"{path}/batch_predict", {"texts": many})
    at = 0
    while not stop.is_set():
        at = (at + 1) % len(texts)
        try:
            _single(client, singles[at], at, scores, seen)
            _note(seen, *client.ask(batch), range(BATCH), scores, len(texts))
        except OSError as error:
            seen.failures[type(error).__name__] += 1
            client = Client(address)
    answers.put(seen)


def _single(client: Client, request: bytes, at: int, scores: Scores, seen: Seen) -> None:
    sent, started = time.time(), time.perf_counter()
    status, answer = client.ask(request)
    seen.singles.append((sent, time.perf_counter() - started))
    _note(seen, status, [answer], [at], scores, at + 1)


def _note(seen: Seen, status: int, answer: Any, places: Sequence[int], scores: Scores, count: int) -> None:
    if status != 200:
        seen.failures[str(status)] += 1
        return
    versions = {decision["version"] for decision in answer}
    version = versions.pop()
    expected = [scores[version][place % count] for place in places]
    if versions or expected != [decision["score"] for decision in answer]:
        seen.mixed += 1
    seen.versions[version] += 1
