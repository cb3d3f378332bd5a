"""Who asks: the seam between a credential and the caller that it stands for."""

from dataclasses import dataclass
from typing import Protocol

from assay.access.rates import Rate


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a credential stands for, what this caller may do, and how much of it."""

    id: str
    """Names whose requests are counted together."""
    name: str
    """For people: logs and audit entries."""
    scopes: frozenset[str]
    rate: Rate | None = None
    """None where the service's own rate for keys holds."""


class Authenticator(Protocol):
    """Tells callers by what they carry: keys do, and so can tokens that somebody else signs."""

    @property
    def fault(self) -> str:
        """Why it knows less than it should; empty while all is well."""

    @property
    def ready(self) -> bool:
        """Whether it can tell callers at all."""

    def identify(self, credential: str) -> Caller | None:
        """Return who carries a credential; None for one that is unknown, revoked or expired.

        It never waits: it is asked on the event loop. Raises DatabaseError while it cannot know.
        """
