"""What live traffic tells."""

from assay.telemetry.counters import Counters
from assay.telemetry.drift.binning import Binning
from assay.telemetry.drift.distances import (
    Distance,
    checks_of,
    distance_of,
    kolmogorov,
    max_difference,
    psi,
    psi_by_chance,
    ratio_test,
)
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
    "RequestLog",
    "Watch",
    "checks_of",
    "differs",
    "distance_of",
    "kolmogorov",
    "level_of",
    "max_difference",
    "psi",
    "psi_by_chance",
    "ratio_test",
    "sentence",
]
