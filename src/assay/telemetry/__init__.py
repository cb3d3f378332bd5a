"""What live traffic tells."""

from assay.telemetry.counters import Counters
from assay.telemetry.decisions.compacting import Compacted, compact
from assay.telemetry.decisions.erasing import Erased, erase, forget_decisions
from assay.telemetry.decisions.exporting import export_records, moment_of
from assay.telemetry.decisions.hashing import hash_of, read_key
from assay.telemetry.decisions.listing import check_folder
from assay.telemetry.decisions.notes import Notes
from assay.telemetry.decisions.reading import Span, find_record, read_records, span_of
from assay.telemetry.decisions.record import Record
from assay.telemetry.decisions.selecting import Sought
from assay.telemetry.decisions.tallying import LogStatistics, TaskTally, tally_records
from assay.telemetry.ecs import FIELDS as LOG_FIELDS
from assay.telemetry.feedback.guards import Guards, Labelled, Sifted, sift
from assay.telemetry.feedback.resolving import resolve
from assay.telemetry.feedback.standing import Standing, stand
from assay.telemetry.feedback.store import Feedback
from assay.telemetry.feedback.votes import Vote, votes
from assay.telemetry.feedback.watching import QualityWatch
from assay.telemetry.request_log import RequestLog

__all__ = [
    "LOG_FIELDS",
    "Compacted",
    "Counters",
    "Erased",
    "Feedback",
    "Guards",
    "Labelled",
    "LogStatistics",
    "Notes",
    "QualityWatch",
    "Record",
    "RequestLog",
    "Sifted",
    "Sought",
    "Span",
    "Standing",
    "TaskTally",
    "Vote",
    "check_folder",
    "compact",
    "erase",
    "export_records",
    "find_record",
    "forget_decisions",
    "hash_of",
    "moment_of",
    "read_key",
    "read_records",
    "resolve",
    "sift",
    "span_of",
    "stand",
    "tally_records",
    "votes",
]
