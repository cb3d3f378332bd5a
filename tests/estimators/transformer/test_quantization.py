"""Quantization: smaller, close to what it was, and no answer depends on another."""

import sys
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from assay.estimators.encoder import Runtime, Sessions
from assay.estimators.transformer import tables
from assay.estimators.transformer.quantization import quantize
from assay.exceptions import ConversionError, MissingExtra
from tests.encoders import LINES, tiny_encoder, tiny_onnx

INT8 = TensorProto.INT8


@pytest.fixture(scope="module", params=[1, 3], ids=["one logit", "three logits"])
def pair(request: pytest.FixtureRequest) -> tuple[bytes, bytes]:
    """A network and what quantization makes of it."""
    network = tiny_onnx(request.param)
    return network, quantize(network)


def logits(network: bytes, text: str) -> Any:
    """Return a text's logits."""
    [ids] = tiny_encoder().tokens.ids([text])
    row = np.array([ids], np.int64)
    return Sessions(network, Runtime(threads=1)).run(row, np.ones_like(row))


@pytest.mark.parametrize("text", LINES)
def test_a_quantized_network_answers_nearly_as_before(pair: tuple[bytes, bytes], text: str) -> None:
    before, after = (logits(network, text) for network in pair)
    assert before.shape == after.shape
    np.testing.assert_allclose(after, before, atol=0.5)
    assert (before != after).any()


def test_an_answer_depends_neither_on_the_batch_nor_on_padding(pair: tuple[bytes, bytes]) -> None:
    rows = tiny_encoder().tokens.ids(LINES)
    longest = max(map(len, rows)) + 3
    ids, mask = np.zeros((2, len(rows), longest), np.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row)], mask[at, : len(row)] = row, 1
    together = Sessions(pair[1], Runtime(threads=1)).run(ids, mask)
    for found, text in zip(together, LINES, strict=True):
        np.testing.assert_allclose(found, logits(pair[1], text)[0], atol=1e-4)


def test_matrices_take_seven_bits_a_column_and_the_layer_behind_them_keeps_its_precision(
    pair: tuple[bytes, bytes],
) -> None:
    before, after = map(onnx.load_from_string, pair)
    whole = [numpy_helper.to_array(each) for each in after.graph.initializer if each.data_type == INT8]
    # Six of each of the two layers; the table of words is too small.
    assert len(whole) == 12
    assert {(np.abs(matrix).max(axis=0) == 63).all() for matrix in whole} == {np.True_}
    kinds = [node.op_type for node in after.graph.node]
    assert (kinds.count("MatMulInteger"), kinds.count("Gemm")) == (12, 1)
    # Query, key and value read the same tokens, which are scaled once.
    assert kinds.count("QuantizeLinear") == 8
    assert len(pair[1]) < len(pair[0])
    # ONNX Runtime warns of what is held and not used.
    used = {name for node in after.graph.node for name in node.input}
    assert {each.name for each in after.graph.initializer if ".s" in each.name} <= used
    assert [node.op_type for node in before.graph.node].count("Gemm") == 1


def test_a_matrix_that_two_layers_share_is_quantized_once() -> None:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 4]) for name in ("x", "logits")]
    nodes = [helper.make_node("MatMul", [each, "w"], [to]) for each, to in (("x", "y"), ("y", "logits"))]
    weight = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    held = [numpy_helper.from_array(weight, "w")]
    graph = helper.make_graph(nodes, "g", value[:1], value[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    session = onnxruntime.InferenceSession(quantize(model.SerializeToString()))
    given = np.array([[1, -2, 3, 0.5], [0, 0, 0, 0]], np.float32)
    [found] = session.run(None, {"x": given})
    np.testing.assert_allclose(found, given @ weight @ weight, atol=0.3)
    assert not found[1].any()


def test_a_table_of_words_takes_eight_bits_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "FEWEST", 300)
    model = onnx.load_from_string(tiny_onnx())
    [before] = [
        onnx.numpy_helper.to_array(each) for each in model.graph.initializer if each.dims[:1] == [300]
    ]
    tables.quantize_tables(model)
    arrays = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    [name] = [name.removesuffix(".scale") for name in arrays if name.endswith(".scale")]
    values, scale = arrays[f"{name}.values"], arrays[f"{name}.scale"]
    assert (values.dtype, values.shape, scale.shape) == (np.int8, before.shape, (300, 1))
    assert (np.abs(values * scale - before) <= scale * 0.501).all()
    network = model.SerializeToString()
    for text in LINES:
        np.testing.assert_allclose(logits(network, text), logits(tiny_onnx(), text), atol=0.2)


def test_a_network_without_matrices_is_refused() -> None:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "logits")]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["logits"])], "g", value[:1], value[1:])
    with pytest.raises(ConversionError, match="no matrices that tokens flow through"):
        quantize(helper.make_model(graph).SerializeToString())


def test_without_its_library_nothing_is_quantized_and_the_package_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"Quantizing a network needs the package 'onnx'"):
        quantize(tiny_onnx())
