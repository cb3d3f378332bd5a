"""Text to probabilities to decisions: training, the cascade, and its artifact."""

from assay.estimators.artifact import attach_report, load_artifact, save_artifact
from assay.estimators.cascade import Cascade
from assay.estimators.conversion import convert_pipeline
from assay.estimators.decision import Decision
from assay.estimators.importing import import_pipeline
from assay.estimators.linear import LinearModel
from assay.estimators.manifest import Manifest, read_manifest
from assay.estimators.operating_point import OperatingPoint, choose_operating_point
from assay.estimators.texts import fault_of
from assay.estimators.training import train_cascade

__all__ = [
    "Cascade",
    "Decision",
    "LinearModel",
    "Manifest",
    "OperatingPoint",
    "attach_report",
    "choose_operating_point",
    "convert_pipeline",
    "fault_of",
    "import_pipeline",
    "load_artifact",
    "read_manifest",
    "save_artifact",
    "train_cascade",
]
