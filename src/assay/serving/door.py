"""Where connections are accepted: all that wait, in every turn of the event loop."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable

logger = logging.getLogger(__name__)

ACCEPTED_AT_ONCE = 256
"""Connections taken in before others get their turn."""

PAUSE_SECONDS = 0.5
"""How long nobody is taken in when this process may open no more files."""

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Door:
    """A listening socket of which one event loop takes connections, as ``loop.create_server`` does.

    uvloop accepts one connection in a turn of its loop (0.23): where a turn takes 20 ms, the hundredth client
    that connects at once waits for two seconds, and nobody has refused it. ``factory`` makes the protocol of
    each connection.
    """

    def __init__(
        self,
        listener: socket.socket,
        factory: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener, self._factory, self._tls = listener, factory, tls
        self._loop = asyncio.get_running_loop()
        self._entering: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._open()

    def close(self) -> None:
        """Take nobody in any more; the socket stays the caller's."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener.fileno())

    async def wait_closed(self) -> None:
        """Wait until all who were taken in have their protocol."""
        await asyncio.gather(*self._entering)

    def _open(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                logger.error("No connection can be accepted for a moment: %s", error.strerror)
                self._loop.remove_reader(self._listener.fileno())
                self._pause = self._loop.call_later(PAUSE_SECONDS, self._open)
                return
            task = self._loop.create_task(self._let_in(connection))
            self._entering.add(task)
            task.add_done_callback(self._entering.discard)

    async def _let_in(self, connection: socket.socket) -> None:
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._factory, connection, ssl=self._tls)
        except OSError as error:
            # Whoever connects may be gone already, or speak no TLS.
            logger.debug("A connection ended before its first request: %s", error)
            connection.close()
