"""The service as a process: a bound socket and a server on it."""

import errno
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from assay.exceptions import ConfigError
from assay.serving.certificates import check_certificate
from assay.serving.runfolder import RunFolder, run_folder
from assay.settings import Settings

if TYPE_CHECKING:
    import uvicorn

logger = logging.getLogger(__name__)

Build = Callable[..., Any]
"""Makes the application of settings and the keyword ``run``, a RunFolder; a name that pickle finds."""


def serve(settings: Settings, build: Build) -> None:
    """Serve what ``build`` makes of the settings, in each worker, until the process is told to stop.

    Raises ConfigError when the address cannot be bound, the certificate cannot be used or a worker cannot
    start.
    """
    from assay.serving.draining import configured
    from assay.serving.redaction import redact_logs

    check_certificate(settings.tls_certificate, settings.tls_key)
    listener = bind(settings.host, settings.port)
    address = address_of(*listener.getsockname()[:2], secure=settings.tls_certificate is not None)
    logger.info("Loading the models; then %s answers. Ctrl+C stops it.", address)
    raise_file_limit(2 * settings.max_connections)
    # Stopped by SIGTERM, the server repeats the signal when it is done: leave then as a command that ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with run_folder() as run, suppress(KeyboardInterrupt):
        config = configured(partial(build, settings, run=run), settings)
        redact_logs(settings)
        if settings.workers == 1:
            _serve_alone(config, listener, settings, run)
        else:
            _serve_with_workers(config, listener, settings, run)


def _serve_alone(
    config: "uvicorn.Config", listener: socket.socket, settings: Settings, run: RunFolder
) -> None:
    from assay.serving.draining import DrainingServer

    DrainingServer(config, settings, run).run(sockets=[listener])


def _serve_with_workers(
    config: "uvicorn.Config", listener: socket.socket, settings: Settings, run: RunFolder
) -> None:
    from assay.serving.workers import Workers

    workers = Workers(config, [listener], settings, run)
    workers.run()
    if workers.failed:
        raise ConfigError("A worker could not start; what it said is above.")


def raise_file_limit(wanted: int) -> None:
    """Let this process and its workers open so many files at least, as far as they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    if target < wanted:
        logger.warning("Only %s files may be open; %s are wanted for the connections.", target, wanted)


def log_to_stderr() -> None:
    """Show what Assay logs in this process, in the form of the server's own lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s:     %(message)s"))
    root = logging.getLogger("assay")
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises ConfigError, saying what to do, when the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # At once and not when the models are loaded, so that no second service takes the port meanwhile.
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"{address_of(host, port)} cannot be listened on: {error.strerror}. Choose another with --host "
            "and --port, or ASSAY_HOST and ASSAY_PORT; port 0 takes a free one.",
            host=host,
            port=port,
            errno=error.errno,
        ) from error
    return listener


def first_free_port(host: str, port: int, tries: int = 100) -> int:
    """Return the first port from ``port`` on that can be listened on; from 0, any that is free.

    Raises ConfigError when none of ``tries`` can.
    """
    for candidate in range(port, min(port + tries, 65536)):
        try:
            with bind(host, candidate) as listener:
                return int(listener.getsockname()[1])
        except ConfigError as error:
            if error.data["errno"] != errno.EADDRINUSE:
                raise
    raise ConfigError(
        f"No port from {port} to {port + tries - 1} of {host} is free; set ASSAY_PORT to another."
    )


def address_of(host: str, port: int, *, secure: bool = False) -> str:
    """Return the address of a host and port as a browser takes it."""
    scheme = "https" if secure else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
