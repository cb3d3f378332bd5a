"""What a version costs on this machine: time, memory, size."""

from pydantic import Field

from assay.config import Frozen


class Cost(Frozen):
    """Time and memory of an artifact on one machine, and the size of its folder."""

    machine: str
    texts: int = Field(ge=0)
    """Held-out texts that were timed, one at a time."""
    median_ms: float | None = Field(None, ge=0)
    p99_ms: float | None = Field(None, ge=0)
    """Percentiles of one text alone; None without texts."""
    texts_per_second: float | None = Field(None, ge=0)
    """In one call with many texts, on one thread."""
    load_ms: float = Field(ge=0)
    memory_bytes: int | None = Field(None, ge=0)
    """What loading it and deciding adds to a process; None where the system does not tell."""
    size_bytes: int = Field(ge=0)
