"""The web service: HTTP in, decisions out. It knows neither the registry nor how counts are kept."""

from assay.service.app import create_app
from assay.service.envelope import MetricsSink, RequestLog
from assay.service.exchange import Exchange
from assay.service.limits import Limits
from assay.service.models import Missing, Models, Served

__all__ = ["Exchange", "Limits", "MetricsSink", "Missing", "Models", "RequestLog", "Served", "create_app"]
