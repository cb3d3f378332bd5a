"""The operating point: chosen on held-out rows for a stated goal, with the table behind it."""

from typing import TYPE_CHECKING

from assay.lazy import lazily

if TYPE_CHECKING:
    from assay.estimators.thresholds.operating_point import OperatingPoint, RuleMeasure
    from assay.estimators.thresholds.samples import Sample
    from assay.estimators.thresholds.tables import ThresholdRow, ThresholdTable
    from assay.estimators.thresholds.thresholds import choose_operating_point, measure_threshold
else:
    __getattr__ = lazily(
        __name__,
        {
            "operating_point": ("OperatingPoint", "RuleMeasure"),
            "samples": ("Sample",),
            "tables": ("ThresholdRow", "ThresholdTable"),
            "thresholds": ("choose_operating_point", "measure_threshold"),
        },
    )

__all__ = [
    "OperatingPoint",
    "RuleMeasure",
    "Sample",
    "ThresholdRow",
    "ThresholdTable",
    "choose_operating_point",
    "measure_threshold",
]
