"""Transformer encoders at serving: ONNX Runtime and a tokenizer, without torch."""

from assay.estimators.encoder.batches import batches_of, padded
from assay.estimators.encoder.model import EncoderModel
from assay.estimators.encoder.sessions import Runtime, Sessions
from assay.estimators.encoder.spec import EncoderSpec
from assay.estimators.encoder.tokens import Tokens

__all__ = [
    "EncoderModel",
    "EncoderSpec",
    "Runtime",
    "Sessions",
    "Tokens",
    "batches_of",
    "padded",
]
