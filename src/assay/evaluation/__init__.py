"""Cascade + held-out rows -> Report: metrics with intervals, model card and plots."""

from assay.evaluation import canvas, markdown
from assay.evaluation.behaviour import BehaviourTest, Changed, MustPassCase
from assay.evaluation.card import render_card
from assay.evaluation.changes import Changes, changes_between
from assay.evaluation.comparison import ThresholdComparison, compare_thresholds
from assay.evaluation.confirmation import ChosenPoint, Confirmation
from assay.evaluation.cost import Cost, measure_cost
from assay.evaluation.decided_by import DecidedBy
from assay.evaluation.evaluate import RESAMPLES, evaluate
from assay.evaluation.folder import write_report
from assay.evaluation.intervals import Interval
from assay.evaluation.leakage import Leakage
from assay.evaluation.model_alone import ModelAlone, account_of
from assay.evaluation.page import page_of, render_page
from assay.evaluation.paired import Difference, PairedComparison, compare_cells, compare_decisions
from assay.evaluation.plots_thresholds import threshold_plot
from assay.evaluation.reliability import Reliability
from assay.evaluation.report import METRICS, Curve, DataFacts, Histogram, LabelMetrics, Report, TrainingFacts
from assay.evaluation.rowwise import Grouping, Rowwise, rowwise
from assay.evaluation.rule_account import account_rules
from assay.evaluation.rule_book import RuleAccount, RuleBook
from assay.evaluation.slices import Slice
from assay.evaluation.text_table import text_table
from assay.evaluation.threshold_table import table_lines
from assay.evaluation.training_plot import training_plot

__all__ = [
    "METRICS",
    "RESAMPLES",
    "BehaviourTest",
    "Changed",
    "Changes",
    "ChosenPoint",
    "Confirmation",
    "Cost",
    "Curve",
    "DataFacts",
    "DecidedBy",
    "Difference",
    "Grouping",
    "Histogram",
    "Interval",
    "LabelMetrics",
    "Leakage",
    "ModelAlone",
    "MustPassCase",
    "PairedComparison",
    "Reliability",
    "Report",
    "Rowwise",
    "RuleAccount",
    "RuleBook",
    "Slice",
    "ThresholdComparison",
    "TrainingFacts",
    "account_of",
    "account_rules",
    "canvas",
    "changes_between",
    "compare_cells",
    "compare_decisions",
    "compare_thresholds",
    "evaluate",
    "markdown",
    "measure_cost",
    "page_of",
    "render_card",
    "render_page",
    "rowwise",
    "table_lines",
    "text_table",
    "threshold_plot",
    "training_plot",
    "write_report",
]
