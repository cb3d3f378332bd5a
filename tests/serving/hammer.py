"""Clients that keep asking, and remember every request that got no answer."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

BODY = json.dumps({"text": "free prize, call now"})
JSON = {"Content-Type": "application/json"}


class Hammer:
    """Some clients, each with a connection that it keeps as long as the service lets it.

    ``answered`` counts statuses, ``lost`` holds what became of requests that were sent over an open
    connection and never answered. A connection that is refused ends its client, when it is told so.
    """

    def __init__(self, address: str, clients: int = 8) -> None:
        parts = urlsplit(address)
        self.host, self.port = str(parts.hostname), int(parts.port or 0)
        self.answered: Counter[int] = Counter()
        self.closing = 0
        self.lost: list[str] = []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self) -> None:
        while not self.ended.is_set():
            connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
            try:
                connection.connect()
            except OSError:
                return
            with closing(connection):
                self._ask_over(connection)

    def _ask_over(self, connection: http.client.HTTPConnection) -> None:
        while not self.ended.is_set():
            try:
                connection.request("POST", "/predict", BODY, JSON)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                return
            self.answered[answer.status] += 1
            if answer.will_close:
                self.closing += 1
                return

    def wait_for(self, count: int) -> None:
        """Wait until so many more requests were answered."""
        until = self.answered.total() + count
        deadline = time.monotonic() + 60
        while self.answered.total() < until and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.answered.total() >= until, (self.answered, self.lost)


@contextmanager
def hammering(address: str, clients: int = 8) -> Iterator[Hammer]:
    """Hammer a service during the block."""
    hammer = Hammer(address, clients)
    for thread in hammer.threads:
        thread.start()
    try:
        yield hammer
    finally:
        hammer.ended.set()
        for thread in hammer.threads:
            thread.join(25)
