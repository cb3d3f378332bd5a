"""Training encoders: the only place that imports PyTorch and transformers, when it is asked to."""

from typing import TYPE_CHECKING

from assay.lazy import lazily

if TYPE_CHECKING:
    from assay.estimators.transformer.fit import fit_encoder, in_eight_bits
    from assay.estimators.transformer.quantization_cost import QuantizationCost
    from assay.estimators.transformer.record import Epoch, TrainingRecord
else:
    __getattr__ = lazily(
        __name__,
        {
            "fit": ("fit_encoder", "in_eight_bits"),
            "quantization_cost": ("QuantizationCost",),
            "record": ("Epoch", "TrainingRecord"),
        },
    )

__all__ = ["Epoch", "QuantizationCost", "TrainingRecord", "fit_encoder", "in_eight_bits"]
