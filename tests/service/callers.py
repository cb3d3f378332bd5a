"""Who knows callers, and who keeps what is told of their requests, for tests of the guard."""

from dataclasses import dataclass, field

from assay.access import Caller
from assay.exceptions import DatabaseError
from assay.service import Exchange


@dataclass
class Book:
    """An authenticator that knows callers by their names."""

    callers: dict[str, Caller] = field(default_factory=dict)
    fault: str = ""
    ready: bool = True
    asked: int = 0

    def identify(self, credential: str) -> Caller | None:
        """Return who has the name that a credential is."""
        self.asked += 1
        if not self.ready:
            raise DatabaseError("sqlite:///secret/path cannot be read")
        return self.callers.get(credential)


@dataclass
class Log:
    """A request log that keeps what it is told."""

    written: list[Exchange] = field(default_factory=list)
    texts: bool = False

    def write(self, exchange: Exchange) -> None:
        """Keep one."""
        self.written.append(exchange)
