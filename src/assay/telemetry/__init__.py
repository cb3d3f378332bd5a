"""What live traffic tells."""

from assay.telemetry.counters import Counters

__all__ = ["Counters"]
