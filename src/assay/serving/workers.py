"""Several processes that serve on one socket, and the one that starts them anew when they die."""

import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import SIGNALS, Multiprocess, Process

from assay.exceptions import AssayError
from assay.serving.draining import DrainingServer
from assay.serving.runfolder import RunFolder
from assay.settings import Settings

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
"""Pause before a worker that could not start is tried again, once the service has answered."""

PING_SECONDS = 0.2
"""How long a worker is waited for that is asked whether it answers."""

LOADING_SECONDS = 120.0
"""How long the replacement of a worker may take to load its models, before the old one is kept."""

SHARED = ("uvicorn.lifespan.on", "uvicorn.loops.auto", "uvloop", "safetensors")
"""What a server imports when it starts: imported before, its pages are shared by all workers."""


class Worker(Process):
    """One process that serves, forked from the one that has imported all that it needs.

    ``others`` are the workers there are already: their pipes are none of this one's.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        sockets: list[socket.socket],
        settings: Settings,
        run: RunFolder,
        others: Sequence[Process] = (),
    ) -> None:
        super().__init__(config, sockets)
        self.settings, self.run_folder, self.parent = settings, run, os.getpid()
        self.others = others
        forking = multiprocessing.get_context("fork")
        # uvicorn's own would start an interpreter that imports everything once more.
        self.process = forking.Process(target=self.target, args=(sockets,))  # type: ignore[assignment]

    def start(self) -> None:
        """Fork the process.

        Signals wait until it has handlers of its own: those of the parent would take note of them in a
        list that nobody reads.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop; this is what the new process runs."""
        self._become()
        threading.Thread(target=self.always_pong, daemon=True).start()
        try:
            self.server.run(sockets)
        except AssayError as error:
            logger.error("%s", error.message)
            # Before any has answered, every other worker would fail in the same way: the parent stops too.
            sys.exit(STARTUP_FAILURE)
        except KeyboardInterrupt:
            # Repeated, too; there is nothing more to stop.
            sys.exit(0)

    def always_pong(self) -> None:
        """Say whether this worker is ready whenever the parent asks, until it asks no more."""
        with suppress(EOFError, OSError):
            super().always_pong()

    def _become(self) -> None:
        """Let go of what is the parent's: its signal handlers and the pipes to other workers."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # The server repeats the signal that stopped it, as in a service of one process.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self.parent_conn.close()
        for other in self.others:
            other.parent_conn.close()
            other.child_conn.close()

    @property
    def server(self) -> uvicorn.Server:
        """The server, made in the new process."""
        if self._server is None:
            self._server = DrainingServer(self.config, self.settings, self.run_folder, parent=self.parent)
        return self._server


class Workers(Multiprocess):
    """Keeps ``settings.workers`` processes alive: it replaces those that die, and all of them on SIGHUP."""

    def __init__(
        self, config: uvicorn.Config, sockets: list[socket.socket], settings: Settings, run: RunFolder
    ) -> None:
        super().__init__(config, sockets)
        self.settings, self.run_folder = settings, run
        self.failed = False
        self._answered = False
        """Whether any worker was ever ready: what keeps one from starting after that may pass."""
        self._retry_at = 0.0

    def init_processes(self) -> None:
        """Start the workers."""
        _hold_still()
        for _ in range(self.processes_num):
            self.processes.append(self._start())

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that died.

        uvicorn also kills those that do not answer a ping within seconds; so it would kill, on a busy
        machine, every worker that is still loading its models.
        """
        alive = [each for each in self.processes if each.process.is_alive()]
        self._answered = self._answered or any(each.is_ready(PING_SECONDS) for each in alive)
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set() or process in alive or time.monotonic() < self._retry_at:
                continue
            self._buried(process)
            if process.exitcode == STARTUP_FAILURE:
                if not self._answered:
                    self.failed = True
                    self.should_exit.set()
                    return
                self._retry_at = time.monotonic() + RETRY_SECONDS
            logger.error("The worker %s died (exit code %s); it is replaced.", process.pid, process.exitcode)
            self.processes[index] = self._start()

    def restart_all(self) -> None:
        """Replace one worker after another, each when its successor answers."""
        for index, old in enumerate(self.processes):
            new = self._start()
            if not new.wait_until_ready(LOADING_SECONDS, self.should_exit):
                new.kill()
                self._buried(new)
                logger.error(
                    "The new worker %s did not become ready; %s and those after it stay.", new.pid, old.pid
                )
                return
            old.terminate()
            self._buried(old)
            self.processes[index] = new

    def handle_ttin(self) -> None:
        """Add a worker."""
        self.processes_num += 1
        self.processes.append(self._start())

    def handle_ttou(self) -> None:
        """Take a worker away, the last one excepted."""
        if self.processes_num > 1:
            self.processes_num -= 1
            process = self.processes.pop()
            process.terminate()
            self._buried(process)

    def handle_int(self) -> None:
        """Stop without the pause of draining, also when it has begun."""
        self.run_folder.stop(hurried=True)
        super().handle_int()

    def terminate_all(self) -> None:
        """Tell every worker to stop."""
        # First, so that a worker that stops listening knows that nobody listens after it.
        self.run_folder.stop(hurried=False)
        super().terminate_all()

    def join_all(self) -> None:
        """Wait until every worker has stopped."""
        for process in self.processes:
            while process.process.is_alive():
                process.process.join(0.1)
                self.handle_signals()
            self._buried(process)

    def _start(self) -> Worker:
        others = tuple(self.processes)
        worker = Worker(self.config, self.sockets, self.settings, self.run_folder, others)
        worker.start()
        return worker

    def _buried(self, process: Process) -> None:
        process.join()
        # Its counts stay, what it was doing does not.
        mark_process_dead(process.pid, str(self.run_folder.metrics))  # type: ignore[no-untyped-call]


def _hold_still() -> None:
    """Get this process ready to be forked: all is imported, and taken from the garbage collector.

    That writes into each object that it looks at, and a page that is written to is shared no more.
    """
    for name in SHARED:
        import_module(name)
    gc.freeze()
