"""What live traffic tells."""

from assay.telemetry.counters import Counters
from assay.telemetry.drift.binning import Binning
from assay.telemetry.drift.distances import (
    Distance,
    distance_of,
    kolmogorov,
    max_difference,
    psi,
    psi_by_chance,
    ratio_test,
    tests_of,
)
from assay.telemetry.drift.sentences import sentence
from assay.telemetry.ecs import FIELDS as LOG_FIELDS
from assay.telemetry.feedback import Feedback
from assay.telemetry.request_log import RequestLog

__all__ = [
    "LOG_FIELDS",
    "Binning",
    "Counters",
    "Distance",
    "Feedback",
    "RequestLog",
    "distance_of",
    "kolmogorov",
    "max_difference",
    "psi",
    "psi_by_chance",
    "ratio_test",
    "sentence",
    "tests_of",
]
