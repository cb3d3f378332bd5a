"""The web service: HTTP in, decisions out. It knows neither the registry nor how counts are kept."""

from assay.service.app import create_app
from assay.service.envelope import MetricsSink
from assay.service.models import Missing, Models, Served

__all__ = ["MetricsSink", "Missing", "Models", "Served", "create_app"]
