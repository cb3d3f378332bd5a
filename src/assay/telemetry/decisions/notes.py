"""What a reader of the log met: files, bytes, lines that are no records, files it could not read."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Notes:
    """Filled while the log is read."""

    files: int = 0
    """Files that were opened."""
    bytes: int = 0
    """Their bytes, as they lie on the disk."""
    torn: int = 0
    """Lines that are no records: cut off by a killed process, or of another program."""
    faults: list[str] = field(default_factory=list)
    """A sentence for each file that could not be read, or not to its end."""

    def lines(self) -> Iterator[str]:
        """Yield what a person should know."""
        if self.torn:
            lines = "line is no record" if self.torn == 1 else "lines are no records"
            yield (
                f"{self.torn:,} {lines} of the decision log, cut off by a process that was killed or written "
                "by another program, and passed over."
            )
        yield from self.faults
