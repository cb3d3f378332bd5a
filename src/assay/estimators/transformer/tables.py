"""The embedding tables of a network in eight bits: often half of its file."""

from collections.abc import Iterator
from typing import Any

import numpy as np

FEWEST = 1000
"""Rows from which a table is worth it."""
HIGHEST = 127


def quantize_tables(model: Any) -> None:
    """Turn the embedding tables of an ONNX model into eight bits with a scale a row, in place.

    A row is turned back when it is looked up, so that no answer depends on what else is in a batch.
    """
    from onnx import numpy_helper

    graph = model.graph
    arrays = {each.name: each for each in graph.initializer}
    looked_up = {node.input[0] for node in graph.node if node.op_type == "Gather"}
    used = {name for node in graph.node if node.op_type != "Gather" for name in node.input}
    tables = {name for name in looked_up - used if name in arrays and _is_table(arrays[name].dims)}
    nodes = [made for node in graph.node for made in _lookup(node, tables)]
    del graph.node[:]
    graph.node.extend(nodes)
    for name in sorted(tables):
        table = numpy_helper.to_array(arrays[name])
        # A row of zeros has any scale.
        scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), np.float32(1e-30)) / HIGHEST
        values = np.rint(table / scale).astype(np.int8)
        graph.initializer.remove(arrays[name])
        graph.initializer.append(numpy_helper.from_array(values, f"{name}.values"))
        graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))


def _is_table(shape: Any) -> bool:
    return len(shape) == 2 and shape[0] >= FEWEST


def _lookup(node: Any, tables: set[str]) -> Iterator[Any]:
    """Yield the nodes that do a node's work: for a lookup in one of the tables four, else itself."""
    from onnx import TensorProto, helper

    if node.op_type != "Gather" or node.input[0] not in tables:
        yield copied(node)
        return
    table, ids = node.input
    [found] = node.output
    yield helper.make_node("Gather", [f"{table}.values", ids], [f"{found}.values"])
    yield helper.make_node("Cast", [f"{found}.values"], [f"{found}.cast"], to=TensorProto.FLOAT)
    yield helper.make_node("Gather", [f"{table}.scale", ids], [f"{found}.scale"])
    yield helper.make_node("Mul", [f"{found}.cast", f"{found}.scale"], [found], name=node.name)


def copied(node: Any) -> Any:
    """Return a copy of a node: what a list of the graph holds dies with the list."""
    from onnx import NodeProto

    return NodeProto.FromString(node.SerializeToString())
