"""What live traffic tells."""

from assay.telemetry.counters import Counters
from assay.telemetry.decisions.reading import read_records
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
    "Counters",
    "Feedback",
    "Guards",
    "Labelled",
    "QualityWatch",
    "RequestLog",
    "Sifted",
    "Standing",
    "Vote",
    "read_records",
    "resolve",
    "sift",
    "stand",
    "votes",
]
