"""The web service: HTTP in, decisions out. It knows neither the registry nor how counts are kept."""

from assay.service.admin import Follower, Recorder
from assay.service.app import create_app
from assay.service.connections import Connection, Entrance
from assay.service.decided import Decided, DecisionSink
from assay.service.detached import Detached
from assay.service.envelope import MetricsSink, RequestLog, SwapOutcome
from assay.service.exchange import Exchange
from assay.service.feedback import FeedbackStore
from assay.service.limits import Limits
from assay.service.microbatching import Batching, BatchSink, CacheTier, DecisionCache, Pace, open_cache
from assay.service.models import Missing, Models, Seat, Served
from assay.service.versions import Versions

__all__ = [
    "BatchSink",
    "Batching",
    "CacheTier",
    "Connection",
    "Decided",
    "DecisionCache",
    "DecisionSink",
    "Detached",
    "Entrance",
    "Exchange",
    "FeedbackStore",
    "Follower",
    "Limits",
    "MetricsSink",
    "Missing",
    "Models",
    "Pace",
    "Recorder",
    "RequestLog",
    "Seat",
    "Served",
    "SwapOutcome",
    "Versions",
    "create_app",
    "open_cache",
]
