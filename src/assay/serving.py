"""The service as a process: a bound socket and a server on it."""

import socket

from assay.config import Settings
from assay.exceptions import ConfigError


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop.

    Raises ConfigError when the address cannot be bound.
    """
    import uvicorn

    from assay.asgi import build_app

    listener = bind(settings.host, settings.port)
    config = uvicorn.Config(build_app(settings), log_level="info", access_log=False, lifespan="on")
    server = uvicorn.Server(config)
    server.run(sockets=[listener])


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises ConfigError, saying what to do, when the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"{host}:{port} cannot be listened on: {error.strerror}. Choose another with --host and --port, "
            "or ASSAY_HOST and ASSAY_PORT; port 0 takes a free one.",
            host=host,
            port=port,
        ) from error
    return listener


def first_free_port(host: str, port: int, tries: int = 100) -> int:
    """Return the first port from ``port`` on that can be listened on.

    Raises ConfigError when none of ``tries`` can.
    """
    for candidate in range(port, min(port + tries, 65536)):
        try:
            bind(host, candidate).close()
        except ConfigError:
            continue
        return candidate
    raise ConfigError(
        f"No port from {port} to {port + tries - 1} of {host} is free; set ASSAY_PORT to another."
    )
