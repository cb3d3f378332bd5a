"""What live traffic tells."""

from assay.telemetry.counters import Counters
from assay.telemetry.decisions.log import DecisionLog, LogMetrics
from assay.telemetry.decisions.record import MEANINGS as DECISION_FIELDS
from assay.telemetry.decisions.record import Record
from assay.telemetry.decisions.writing import LogPolicy
from assay.telemetry.ecs import FIELDS as LOG_FIELDS
from assay.telemetry.feedback import Feedback
from assay.telemetry.request_log import RequestLog

__all__ = [
    "DECISION_FIELDS",
    "LOG_FIELDS",
    "Counters",
    "DecisionLog",
    "Feedback",
    "LogMetrics",
    "LogPolicy",
    "Record",
    "RequestLog",
]
