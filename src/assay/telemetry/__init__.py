"""What live traffic tells."""

from assay.telemetry.counters import Counters
from assay.telemetry.feedback import Feedback

__all__ = ["Counters", "Feedback"]
