"""Cascade + held-out rows -> Report: metrics with intervals, model card and plots."""

from assay.evaluation.card import render_card
from assay.evaluation.evaluate import RESAMPLES, evaluate
from assay.evaluation.folder import write_report
from assay.evaluation.report import (
    Curve,
    DataFacts,
    Histogram,
    Interval,
    LabelMetrics,
    Report,
    TrainingFacts,
)

__all__ = [
    "RESAMPLES",
    "Curve",
    "DataFacts",
    "Histogram",
    "Interval",
    "LabelMetrics",
    "Report",
    "TrainingFacts",
    "evaluate",
    "render_card",
    "write_report",
]
