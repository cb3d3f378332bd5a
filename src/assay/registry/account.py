"""Who is at work: the name that runs and the audit log carry."""

import getpass
import socket

from assay.settings import Settings


def who_of(settings: Settings) -> str:
    """Return who is written into the audit log: the setting ``user``, else this account at this machine."""
    return settings.user or f"{account()}@{socket.gethostname()}"


def account() -> str:
    """Return the name of the account that this process runs under."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under an id without a name.
        return "unknown"
