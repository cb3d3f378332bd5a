"""A server that stops without losing a request."""

import asyncio
import ctypes
import os
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from functools import partial

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from assay.service import Connection, Entrance
from assay.serving.door import Door
from assay.serving.runfolder import RunFolder
from assay.settings import Settings

POLL_SECONDS = 0.05
SO_ATTACH_FILTER = 26


class DrainingServer(uvicorn.Server):
    """The server of one worker.

    Told to stop by SIGTERM, it goes on for ``drain_seconds``: readiness says no and answers ask the clients
    to close, so that proxies go elsewhere and idle connections end in time. Then it stops listening and
    answers what has come. SIGINT leaves the pause out. ``parent`` is the process that started this one;
    none where there is only this one.
    """

    def __init__(
        self, config: uvicorn.Config, settings: Settings, run: RunFolder, *, parent: int | None = None
    ) -> None:
        super().__init__(config)
        self.settings, self.run_folder, self.parent = settings, run, parent

    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop; a worker stops when its parent has gone without telling it."""
        if self.parent is not None and os.getppid() != self.parent:
            self.should_exit = True
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then take connections from the sockets that were bound for it."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        made = partial(
            Connection,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            _loop=asyncio.get_running_loop(),
        )
        # They are closed and waited for as the servers that they stand for.
        self.servers = [Door(each, made, self.config.ssl) for each in sockets or ()]  # type: ignore[misc]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as described; the rest is given ``stop_seconds``."""
        entrance: Entrance = self.lifespan.state["entrance"]
        entrance.draining = True
        left = self.settings.drain_seconds
        while left > 0 and not self._hurried:
            await asyncio.sleep(min(left, POLL_SECONDS))
            left -= POLL_SECONDS
        if self.parent is None or self.run_folder.stops:
            # Connections that wait to be accepted would be reset: let no more queue up, take those in.
            close_door(sockets or ())
            await asyncio.sleep(POLL_SECONDS)
        entrance.closed = True
        await super().shutdown(sockets)

    @property
    def _hurried(self) -> bool:
        return signal.SIGINT in self._captured_signals or self.run_folder.hurried


def close_door(listeners: Sequence[socket.socket]) -> None:
    """Let no new connection queue up at these sockets, in any process that shares them, where Linux can."""
    if sys.platform != "linux":
        return
    # For the packet filter, on TCP headers: what asks for a connection (SYN, a bit of byte 13) is dropped,
    # what ends a handshake passes: whoever has seen our half of one may send its request already.
    steps = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HL", len(steps), ctypes.addressof(code))
    for listener in listeners:
        try:
            listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        except PermissionError:
            # Some kernels want CAP_NET_ADMIN for it, which no container should have. Then one may wait at a
            # time, and only who comes in the moment before the socket is closed is reset.
            listener.listen(0)


def configured(app: object, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn is to run an application, or what makes one."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        factory=True,
        http=Connection,
        ws="none",
        lifespan="on",
        log_level="info",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        workers=settings.workers,
        timeout_graceful_shutdown=max(1, round(settings.stop_seconds)),
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
