"""What live traffic tells."""

from assay.telemetry.counters import Counters
from assay.telemetry.ecs import FIELDS as LOG_FIELDS
from assay.telemetry.feedback.store import Feedback
from assay.telemetry.request_log import RequestLog

__all__ = ["LOG_FIELDS", "Counters", "Feedback", "RequestLog"]
