"""A network's weights in eight bits: less to read, less to multiply."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.estimators.transformer.tables import quantize_tables
from assay.exceptions import ConversionError, MissingExtra

MATRICES = ("MatMul", "Gemm")
"""Operators whose weights are quantized."""


def quantize(network: bytes) -> bytes:
    """Return an exported network in eight bits: matrices with a scale a column, word tables with one a row.

    What flows through it is scaled as it runs, by the largest value of the whole batch: texts are to be run
    one by one, so that an answer depends on nothing else. The last layer, which makes the logits, keeps its
    precision. Weights take 7 of the 8 bits: processors without VNNI add products of 8 bits in 16, which
    overflow there and nowhere else. Raises ConversionError for a network without such matrices, MissingExtra
    without onnx.
    """
    try:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingExtra(
            "Quantizing a network", package=error.name or "onnx", extra="transformers"
        ) from error
    model = onnx.load_from_string(network)
    last = last_layer(model)
    with tempfile.TemporaryDirectory(prefix="assay-quantization-") as folder, _quiet():
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(
            model,
            path,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=list(MATRICES),
            # The library makes a MatMul of a Gemm first, and names it so.
            nodes_to_exclude=[last, f"{last}_MatMul"],
        )
        quantized = onnx.load(path)
    quantize_tables(quantized)
    smaller: bytes = quantized.SerializeToString()
    return smaller


def last_layer(model: Any) -> str:
    """Return the name of the last matrix before a network's output. Raises ConversionError without one."""
    makers = {name: node for node in model.graph.node for name in node.output}
    names, seen = [output.name for output in model.graph.output], set[str]()
    while names:
        # Breadth first: the nearest to the output comes first.
        name = names.pop(0)
        node = makers.get(name)
        if node is None or name in seen:
            continue
        if node.op_type in MATRICES:
            return str(node.name)
        seen.add(name)
        names.extend(node.input)
    raise ConversionError("The network has no matrix of weights, so there is nothing to quantize.")


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's advice, which it gives through the root logger, from the terminal."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
        # A first line to a logger without handlers gives it one for good.
        root.handlers[:] = handlers
