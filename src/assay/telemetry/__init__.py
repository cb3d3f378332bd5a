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
from assay.telemetry.drift.monitor import DriftMonitor
from assay.telemetry.drift.sentences import sentence
from assay.telemetry.drift.watch import BLOCK, FALSE_ALARMS, WINDOW, Change, Watch, differs, level_of
from assay.telemetry.ecs import FIELDS as LOG_FIELDS
from assay.telemetry.feedback import Feedback
from assay.telemetry.request_log import RequestLog

__all__ = [
    "BLOCK",
    "FALSE_ALARMS",
    "LOG_FIELDS",
    "WINDOW",
    "Binning",
    "Change",
    "Counters",
    "Distance",
    "DriftMonitor",
    "Feedback",
    "Gathered",
    "Look",
    "RequestLog",
    "Swap",
    "Traffic",
    "Watch",
    "block_edges",
    "differs",
    "distance_of",
    "kolmogorov",
    "level_of",
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
