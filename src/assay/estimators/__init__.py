"""Text to probabilities to decisions: rules, training, the cascade, and its artifact."""

from typing import TYPE_CHECKING

from assay.lazy import lazily

if TYPE_CHECKING:
    from assay.estimators.annexes import read_held_out, read_quantization, read_tables
    from assay.estimators.artifact import attach_report, load_artifact, save_artifact
    from assay.estimators.binning import bins_of, counts_of
    from assay.estimators.calibration import Calibration
    from assay.estimators.cascade import Cascade, Judged
    from assay.estimators.conversion import convert_pipeline
    from assay.estimators.decision import Decision
    from assay.estimators.encoder import EncoderModel, EncoderSpec, Runtime
    from assay.estimators.encoder.occlusion import Occlusions, occlusions_of
    from assay.estimators.encoder.providers import providers
    from assay.estimators.explanation import Explanation
    from assay.estimators.golden import Golden, read_golden
    from assay.estimators.held_out import HeldOut
    from assay.estimators.identifiers import new_id, time_of
    from assay.estimators.importing import import_pipeline
    from assay.estimators.kernel import uncompiled
    from assay.estimators.linear import Floats, LinearModel, Link
    from assay.estimators.manifest import Manifest, read_manifest
    from assay.estimators.profile import Observation, Observed, Profile, Reference, read_profile
    from assay.estimators.profiling import observe, profile_from, profile_of, unknown_share, unknown_shares
    from assay.estimators.rules import NO_RULES, Hit, Rule, Rules, parse_rules, read_rules
    from assay.estimators.shares import CONFIDENCE, draw_bounds, share_bounds
    from assay.estimators.texts import fault_of
    from assay.estimators.thresholds import (
        OperatingPoint,
        Sample,
        ThresholdRow,
        ThresholdTable,
        choose_operating_point,
        measure_threshold,
    )
    from assay.estimators.training import check_trainable, retune, rules_of, train_cascade
    from assay.estimators.transformer import QuantizationCost, TrainingRecord
else:
    __getattr__ = lazily(
        __name__,
        {
            "annexes": ("read_held_out", "read_quantization", "read_tables"),
            "artifact": ("attach_report", "load_artifact", "save_artifact"),
            "binning": ("bins_of", "counts_of"),
            "calibration": ("Calibration",),
            "cascade": ("Cascade", "Judged"),
            "conversion": ("convert_pipeline",),
            "decision": ("Decision",),
            "encoder": ("EncoderModel", "EncoderSpec", "Runtime"),
            "encoder.occlusion": ("Occlusions", "occlusions_of"),
            "encoder.providers": ("providers",),
            "explanation": ("Explanation",),
            "golden": ("Golden", "read_golden"),
            "held_out": ("HeldOut",),
            "identifiers": ("new_id", "time_of"),
            "importing": ("import_pipeline",),
            "kernel": ("uncompiled",),
            "linear": ("Floats", "LinearModel", "Link"),
            "manifest": ("Manifest", "read_manifest"),
            "profile": ("Observation", "Observed", "Profile", "Reference", "read_profile"),
            "profiling": ("observe", "profile_from", "profile_of", "unknown_share", "unknown_shares"),
            "rules": ("NO_RULES", "Hit", "Rule", "Rules", "parse_rules", "read_rules"),
            "shares": ("CONFIDENCE", "draw_bounds", "share_bounds"),
            "texts": ("fault_of",),
            "thresholds": (
                "OperatingPoint",
                "Sample",
                "ThresholdRow",
                "ThresholdTable",
                "choose_operating_point",
                "measure_threshold",
            ),
            "training": ("check_trainable", "retune", "rules_of", "train_cascade"),
            "transformer": ("QuantizationCost", "TrainingRecord"),
        },
    )

__all__ = [
    "CONFIDENCE",
    "NO_RULES",
    "Calibration",
    "Cascade",
    "Decision",
    "EncoderModel",
    "EncoderSpec",
    "Explanation",
    "Floats",
    "Golden",
    "HeldOut",
    "Hit",
    "Judged",
    "LinearModel",
    "Link",
    "Manifest",
    "Observation",
    "Observed",
    "Occlusions",
    "OperatingPoint",
    "Profile",
    "QuantizationCost",
    "Reference",
    "Rule",
    "Rules",
    "Runtime",
    "Sample",
    "ThresholdRow",
    "ThresholdTable",
    "TrainingRecord",
    "attach_report",
    "bins_of",
    "check_trainable",
    "choose_operating_point",
    "convert_pipeline",
    "counts_of",
    "draw_bounds",
    "fault_of",
    "import_pipeline",
    "load_artifact",
    "measure_threshold",
    "new_id",
    "observe",
    "occlusions_of",
    "parse_rules",
    "profile_from",
    "profile_of",
    "providers",
    "read_golden",
    "read_held_out",
    "read_manifest",
    "read_profile",
    "read_quantization",
    "read_rules",
    "read_tables",
    "retune",
    "rules_of",
    "save_artifact",
    "share_bounds",
    "time_of",
    "train_cascade",
    "uncompiled",
    "unknown_share",
    "unknown_shares",
]
