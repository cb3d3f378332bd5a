"""A network in eight bits, whose scales know nothing of what else is in a batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.estimators.transformer.tables import copied, quantize_tables
from assay.exceptions import ConversionError, MissingExtra

LARGEST = 63
"""Weights take 7 of the 8 bits: processors without VNNI add products of 8 bits in 16, which overflow."""
LEAST = 1e-12
"""The smallest scale: that of a token whose values are all alike."""
ABOUT_ZERO, FROM_LEAST = 255 / 2, 255
"""Steps from zero to the largest value either way, and from the smallest value to the largest."""


def quantize(network: bytes) -> bytes:
    """Return an exported network in eight bits: weights, word tables, and what flows into its matrices.

    Each column of a matrix and each row of a table has a scale. So has each token of a text, found as the
    network runs: an answer depends neither on the other texts of a batch nor on padding. Layers behind the
    tokens, which make the logits, keep their precision. Raises ConversionError for a network without
    matrices, MissingExtra without onnx.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtra("Quantizing a network", package="onnx", extra="transformers") from error
    model = onnx.load_from_string(network)
    _quantize_matrices(model.graph)
    quantize_tables(model)
    smaller: bytes = model.SerializeToString()
    return smaller


def _quantize_matrices(graph: Any) -> None:
    from onnx import numpy_helper

    arrays = {each.name: each for each in graph.initializer}
    # A Gemm reads a value a text: the layers behind the tokens.
    chosen = [node for node in graph.node if node.op_type == "MatMul" and _is_matrix(arrays, node.input[1])]
    if not chosen:
        raise ConversionError("The network has no matrices that tokens flow through: nothing to quantize.")
    shapes = {node.input[1]: tuple(arrays[node.input[1]].dims) for node in chosen}
    places = {node.output[0] for node in chosen}
    scaled = set[str]()
    nodes = []
    for node in graph.node:
        if node.output[0] not in places:
            nodes.append(copied(node))
            continue
        token, weight = node.input
        shifted = _is_narrowing(shapes[weight])
        entry = f"{token}.{'shifted' if shifted else 'even'}"
        if entry not in scaled:
            scaled.add(entry)
            nodes += _shifted(token, entry) if shifted else _even(token, entry)
        nodes += _multiplied(entry, weight, node.output[0], shifted=shifted)
    del graph.node[:]
    graph.node.extend(nodes)
    for name in shapes:
        matrix = numpy_helper.to_array(arrays[name])
        graph.initializer.remove(arrays[name])
        _hold(graph, _in_eight_bits(matrix, name, sums=_is_narrowing(shapes[name])))
    numbers = {"even": 1 / ABOUT_ZERO, "shifted": 1 / FROM_LEAST, "least": LEAST, "one": 1.0}
    _hold(graph, {f"int8.{name}": np.array(value, np.float32) for name, value in numbers.items()})
    _hold(graph, {"int8.middle": np.array(128, np.uint8), "int8.zero": np.array(0, np.uint8)})
    _hold(graph, {"int8.last_axis": np.array([-1], np.int64)})


def _is_matrix(arrays: dict[str, Any], name: str) -> bool:
    return name in arrays and len(arrays[name].dims) == 2


def _is_narrowing(shape: tuple[int, ...]) -> bool:
    """Return whether a matrix follows the wide layer, whose values lie nearly all on one side of zero."""
    return shape[0] > shape[1]


def _hold(graph: Any, arrays: dict[str, NDArray[Any]]) -> None:
    from onnx import numpy_helper

    graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in arrays.items())


def _in_eight_bits(matrix: NDArray[np.float32], name: str, *, sums: bool) -> dict[str, NDArray[Any]]:
    """Return a matrix as whole numbers with a scale a column, and what each column sums to if asked."""
    scale = np.maximum(np.abs(matrix).max(axis=0), np.float32(1e-30)) / LARGEST
    values = np.rint(matrix / scale).astype(np.int8)
    found = {f"{name}.values": values, f"{name}.scale": scale.astype(np.float32)}
    if sums:
        found[f"{name}.sums"] = (values.sum(axis=0, dtype=np.int64) * scale).astype(np.float32)
    return found


def _even(token: str, entry: str) -> Iterator[Any]:
    """Yield the nodes that scale each token evenly about zero, by its largest value either way."""
    yield _node("Abs", [token], f"{entry}.sizes")
    yield _node("ReduceMax", [f"{entry}.sizes", "int8.last_axis"], f"{entry}.size")
    yield _node("Mul", [f"{entry}.size", "int8.even"], f"{entry}.ideal")
    yield _node("Max", [f"{entry}.ideal", "int8.least"], f"{entry}.scale")
    yield _node("Div", [token, f"{entry}.scale"], f"{entry}.scaled")
    yield _node("QuantizeLinear", [f"{entry}.scaled", "int8.one", "int8.middle"], f"{entry}.values")


def _shifted(token: str, entry: str) -> Iterator[Any]:
    """Yield the nodes that scale each token from its smallest value to its largest."""
    yield _node("ReduceMin", [token, "int8.last_axis"], f"{entry}.low")
    yield _node("ReduceMax", [token, "int8.last_axis"], f"{entry}.high")
    yield _node("Sub", [f"{entry}.high", f"{entry}.low"], f"{entry}.range")
    yield _node("Mul", [f"{entry}.range", "int8.shifted"], f"{entry}.ideal")
    yield _node("Max", [f"{entry}.ideal", "int8.least"], f"{entry}.scale")
    yield _node("Sub", [token, f"{entry}.low"], f"{entry}.above")
    yield _node("Div", [f"{entry}.above", f"{entry}.scale"], f"{entry}.scaled")
    yield _node("QuantizeLinear", [f"{entry}.scaled", "int8.one", "int8.zero"], f"{entry}.values")


def _multiplied(entry: str, weight: str, result: str, *, shifted: bool) -> Iterator[Any]:
    """Yield the nodes that multiply in whole numbers and scale the product back."""
    zero = "int8.zero" if shifted else "int8.middle"
    product = f"{result}.scaled" if shifted else result
    yield _node("MatMulInteger", [f"{entry}.values", f"{weight}.values", zero], f"{result}.whole")
    yield _node("Cast", [f"{result}.whole"], f"{result}.cast", to=1)
    yield _node("Mul", [f"{result}.cast", f"{entry}.scale"], f"{result}.by_token")
    yield _node("Mul", [f"{result}.by_token", f"{weight}.scale"], product)
    if shifted:
        yield _node("Mul", [f"{entry}.low", f"{weight}.sums"], f"{result}.shift")
        yield _node("Add", [product, f"{result}.shift"], result)


def _node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    from onnx import helper

    return helper.make_node(kind, inputs, [output], **attributes)
