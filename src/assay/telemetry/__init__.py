"""What live traffic tells."""

from assay.telemetry.counters import Counters
from assay.telemetry.decisions.compacting import Compacted, compact
from assay.telemetry.decisions.erasing import Erased, erase, forget_decisions
from assay.telemetry.decisions.exporting import export_records, moment_of
from assay.telemetry.decisions.hashing import Hashes, hashes_of
from assay.telemetry.decisions.listing import check_folder
from assay.telemetry.decisions.log import DecisionLog, LogMetrics
from assay.telemetry.decisions.notes import Notes
from assay.telemetry.decisions.reading import Span, find_record, read_records, span_of
from assay.telemetry.decisions.record import MEANINGS as DECISION_FIELDS
from assay.telemetry.decisions.record import Record
from assay.telemetry.decisions.selecting import Sought
from assay.telemetry.decisions.tallying import LogStatistics, TaskTally, tally_records
from assay.telemetry.decisions.writing import LogPolicy
from assay.telemetry.ecs import FIELDS as LOG_FIELDS
from assay.telemetry.feedback import Feedback
from assay.telemetry.request_log import RequestLog

__all__ = [
    "DECISION_FIELDS",
    "LOG_FIELDS",
    "Compacted",
    "Counters",
    "DecisionLog",
    "Erased",
    "Feedback",
    "Hashes",
    "LogMetrics",
    "LogPolicy",
    "LogStatistics",
    "Notes",
    "Record",
    "RequestLog",
    "Sought",
    "Span",
    "TaskTally",
    "check_folder",
    "compact",
    "erase",
    "export_records",
    "find_record",
    "forget_decisions",
    "hashes_of",
    "moment_of",
    "read_records",
    "span_of",
    "tally_records",
]
