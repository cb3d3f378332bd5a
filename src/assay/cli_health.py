"""The command that asks this machine's service whether it is ready: the health check of containers."""

import argparse
from typing import TYPE_CHECKING

from assay.terminal import ERROR, OK, say, settings_of

if TYPE_CHECKING:
    from http.client import HTTPConnection

    from assay.settings import Settings

CALL = "/health/ready"
READY = 200
WAIT_SECONDS = 4.0
LONGEST_ANSWER = 64 * 1024
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - they are replaced, not listened on
"""Addresses that a service listens on and nobody can ask, and who answers there."""


def health(options: argparse.Namespace) -> int:
    """Say in one line whether the service that the settings describe is ready."""
    from assay.exceptions import ConfigError

    settings = settings_of(host=options.host, port=options.port)
    if settings.port == 0:
        raise ConfigError("ASSAY_PORT is 0, which takes any free port. Say which one it took: --port")
    host = EVERYWHERE.get(settings.host, settings.host)
    name = f"[{host}]" if ":" in host else host
    well, said = _ask(_connection(host, settings))
    scheme = "https" if settings.tls_certificate else "http"
    say(f"{scheme}://{name}:{settings.port}{CALL}: {said}")
    return OK if well else ERROR


def _connection(host: str, settings: "Settings") -> "HTTPConnection":
    """Return a connection that is not open yet."""
    from http.client import HTTPConnection, HTTPSConnection

    if not settings.tls_certificate:
        return HTTPConnection(host, settings.port, timeout=WAIT_SECONDS)
    from ssl import CERT_NONE, create_default_context

    # Its certificate is for the name that others call it by, and nothing secret is said to one's own machine.
    context = create_default_context()
    context.check_hostname, context.verify_mode = False, CERT_NONE
    return HTTPSConnection(host, settings.port, timeout=WAIT_SECONDS, context=context)


def _ask(connection: "HTTPConnection") -> tuple[bool, str]:
    """Return whether the service is ready, and what it said."""
    from http.client import HTTPException

    try:
        connection.request("GET", CALL)
        answer = connection.getresponse()
        body = answer.read(LONGEST_ANSWER)
    except (OSError, HTTPException) as error:
        return False, f"no answer ({' '.join(str(error).split()) or type(error).__name__})"
    finally:
        connection.close()
    if answer.status == READY:
        return True, "ready"
    return False, f"{answer.status} {_reason(body)}"


def _reason(body: bytes) -> str:
    """Return the message of an error in the service's own shape, else the beginning of what came."""
    import json

    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return repr(body[:80].decode(errors="replace"))
