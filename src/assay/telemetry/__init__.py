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
from assay.telemetry.drift.folder import write_look
from assay.telemetry.drift.gathering import Gathered, Traffic, block_edges, traffic_of
from assay.telemetry.drift.lines import lines_of as look_lines
from assay.telemetry.drift.look import Look, Swap, look_at
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
    "Gathered",
    "Look",
    "RequestLog",
    "Swap",
    "Traffic",
    "block_edges",
    "distance_of",
    "kolmogorov",
    "look_at",
    "look_lines",
    "max_difference",
    "psi",
    "psi_by_chance",
    "ratio_test",
    "sentence",
    "tests_of",
    "traffic_of",
    "write_look",
]
