"""Quantization: smaller, close to what it was, and never by its last layer."""

import logging
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from assay.estimators.encoder import Runtime, Sessions
from assay.estimators.transformer import tables
from assay.estimators.transformer.quantization import last_layer, quantize
from assay.exceptions import ConversionError
from tests.encoders import LINES, tiny_encoder, tiny_onnx


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


def test_matrices_take_seven_bits_a_column_and_the_last_layer_keeps_its_precision(
    pair: tuple[bytes, bytes],
) -> None:
    model = onnx.load_from_string(pair[1])
    whole = [each for each in model.graph.initializer if each.data_type == TensorProto.INT8]
    matrices = [onnx.numpy_helper.to_array(each) for each in whole if len(each.dims) == 2]
    # Six of each of the two layers.
    assert len(matrices) == 12
    # More would overflow on processors without VNNI.
    assert all(matrix.min() >= -64 and matrix.max() <= 64 for matrix in matrices)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("MatMulInteger") + kinds.count("DynamicQuantizeMatMul") == 12
    last = last_layer(onnx.load_from_string(pair[0]))
    [kept] = [node for node in model.graph.node if node.name in (last, f"{last}_MatMul")]
    types = {each.name: each.data_type for each in model.graph.initializer}
    assert (kept.op_type, types[kept.input[1]]) == ("MatMul", TensorProto.FLOAT)
    assert len(pair[1]) < len(pair[0])


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


def test_a_small_table_stays_as_it_is(pair: tuple[bytes, bytes]) -> None:
    model = onnx.load_from_string(pair[1])
    assert not [each.name for each in model.graph.initializer if each.name.endswith(".values")]


def test_a_network_without_matrices_is_refused() -> None:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "logits")]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["logits"])], "g", value[:1], value[1:])
    with pytest.raises(ConversionError, match="no matrix of weights"):
        quantize(helper.make_model(graph).SerializeToString())


def test_quantizing_says_nothing_and_leaves_the_logs_alone(capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    quantize(tiny_onnx())
    assert capfd.readouterr() == ("", "")
    assert (root.level, root.handlers) == before
