"""The layer behind an exported encoder that makes logits of embeddings."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.exceptions import MissingExtra

LAYER = "classification"
"""Name of the node that gives the logits; quantization leaves it as it is."""


def add_layer(network: bytes, coef: NDArray[Any], intercept: NDArray[Any]) -> bytes:
    """Return the network of an encoder with a linear layer behind its embedding.

    The logits are the embedding, shape (texts, hidden), times ``coef``, shape (logits, hidden), plus
    ``intercept``, shape (logits,). Raises ValueError for other shapes, MissingExtra without onnx.
    """
    try:
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise MissingExtra("Building a network", package="onnx", extra="transformers") from error
    model = onnx.load_from_string(network)
    (output,) = model.graph.output
    hidden = output.type.tensor_type.shape.dim[1].dim_value
    weights, offset = np.asarray(coef, np.float32), np.asarray(intercept, np.float32)
    if weights.shape != (len(offset), hidden):
        raise ValueError(f"coef must have the shape ({len(offset)}, {hidden}); it has {weights.shape}")
    tensors = {f"{LAYER}.weight": weights, f"{LAYER}.bias": offset}
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in tensors.items())
    _rename(model, output.name, "text_embedding")
    model.graph.node.append(
        helper.make_node("Gemm", ["text_embedding", *tensors], ["logits"], name=LAYER, transB=1)
    )
    shape = [output.type.tensor_type.shape.dim[0].dim_param, len(offset)]
    model.graph.output.remove(output)
    model.graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape))
    built: bytes = model.SerializeToString()
    return built


def _rename(model: Any, old: str, new: str) -> None:
    """Give a value of a network another name where it is made and where it is used."""
    for node in model.graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                if name == old:
                    names[at] = new
