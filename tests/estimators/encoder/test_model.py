from pathlib import Path

import numpy as np
import pytest

from assay.estimators.encoder import EncoderModel, Runtime
from assay.exceptions import ArtifactError
from tests.encoders import LENGTH, LINES, tiny_encoder, tiny_int8, tiny_onnx, tiny_spec, tiny_tokenizer

ONE = Runtime(threads=1)


def test_logits_have_a_row_a_text() -> None:
    assert tiny_encoder().logits(LINES).shape == (len(LINES), 1)
    assert tiny_encoder(("a", "b", "c")).logits(LINES).shape == (len(LINES), 3)
    assert tiny_encoder().logits([]).shape == (0, 1)
    assert tiny_encoder().logits(LINES, np.zeros((len(LINES), 0), np.bool_)).dtype == np.float64


def test_logits_of_one_text_are_its_row() -> None:
    encoder = tiny_encoder(("a", "b", "c"))
    assert encoder.logits_of(LINES[0]) == tuple(encoder.logits([LINES[0]])[0])


def test_it_says_what_it_is() -> None:
    encoder = tiny_encoder(("a", "b", "c"), tolerance=0.01)
    assert (encoder.labels, encoder.link, encoder.tolerance) == (("a", "b", "c"), "softmax", 0.01)
    assert (encoder.rules, encoder.evidence, encoder.costly) == ((), None, True)


def test_texts_of_any_length_have_an_answer() -> None:
    texts = ["\x01", "x", "free prize " * 5_000, "x" * 65_536, "a" * 99 + " 一" * 20_000]
    assert np.isfinite(tiny_encoder().logits(texts)).all()


def test_evidence_is_refused() -> None:
    with pytest.raises(ValueError, match="no evidence rules; evidence has the shape"):
        tiny_encoder().logits(["x"], np.zeros((1, 2), np.bool_))
    with pytest.raises(ValueError, match=r"no evidence rules; got \[0\]"):
        tiny_encoder().logits_of("x", [0])


def test_written_files_make_the_same_encoder(tmp_path: Path) -> None:
    encoder = tiny_encoder()
    encoder.write(tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(files) == {"model.onnx", "tokenizer.json"}
    again = EncoderModel(encoder.spec, files["model.onnx"], files["tokenizer.json"], runtime=ONE)
    assert again.logits_of(LINES[0]) == encoder.logits_of(LINES[0])


@pytest.mark.parametrize(
    ("labels", "settings", "logits", "fault"),
    [
        (("a", "b"), {}, 3, r"logits of shape \(1, 3\) for 1 texts"),
        (("a", "b", "c"), {}, 1, r"logits of shape \(1, 1\) for 1 texts"),
        (("a", "b"), {"max_tokens": LENGTH + 1}, 1, "does not run with 65 tokens"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(
    labels: tuple[str, ...], settings: dict[str, int], logits: int, fault: str
) -> None:
    with pytest.raises(ArtifactError, match=fault):
        EncoderModel(tiny_spec(labels, **settings), tiny_onnx(logits), tiny_tokenizer(), runtime=ONE)


def test_a_vocabulary_larger_than_the_networks_is_refused() -> None:
    large = tiny_tokenizer().replace(b'"vocab": {', b'"vocab": {\n"beyond": 300,')
    with pytest.raises(ArtifactError, match="ids up to 300, which the tokenizer"):
        EncoderModel(tiny_spec(), tiny_onnx(), large, runtime=ONE)


@pytest.mark.parametrize(
    ("operator", "inputs", "fault"),
    [
        ("Log", ["minus"], "not finite"),
        ("Mul", ["given", "zero"], "gives every text the same logits"),
        ("RandomNormalLike", ["given"], "other logits each time"),
    ],
)
def test_a_network_that_gives_no_answers_is_refused(operator: str, inputs: list[str], fault: str) -> None:
    with pytest.raises(ArtifactError, match=fault):
        EncoderModel(tiny_spec(), rewired(operator, inputs), tiny_tokenizer(), runtime=ONE)


def test_a_network_that_reads_padding_is_refused() -> None:
    onnx = pytest.importorskip("onnx")
    network = onnx.load_from_string(tiny_onnx())
    ones = onnx.helper.make_node("ConstantOfShape", ["shape_of_mask"], ["all_seen"])
    ones.attribute.append(onnx.helper.make_attribute("value", onnx.helper.make_tensor("one", 7, [1], [1])))
    for node in network.graph.node:
        node.input[:] = ["all_seen" if name == "attention_mask" else name for name in node.input]
    network.graph.node.insert(0, ones)
    network.graph.node.insert(0, onnx.helper.make_node("Shape", ["attention_mask"], ["shape_of_mask"]))
    with pytest.raises(ArtifactError, match="does not mask padding"):
        EncoderModel(tiny_spec(), network.SerializeToString(), tiny_tokenizer(), runtime=ONE)
    # Texts run by themselves with int8: there is no padding to read.
    EncoderModel(tiny_spec(precision="int8"), network.SerializeToString(), tiny_tokenizer(), runtime=ONE)


def rewired(operator: str, inputs: list[str]) -> bytes:
    """Return a tiny network with one more operator before its logits."""
    onnx = pytest.importorskip("onnx")
    network = onnx.load_from_string(tiny_onnx())
    network.graph.node[-1].output[0] = "given"
    make = onnx.helper.make_node
    network.graph.initializer.append(onnx.helper.make_tensor("zero", 1, [1], [0.0]))
    network.graph.initializer.append(onnx.helper.make_tensor("below", 1, [1], [-1e9]))
    network.graph.node.append(make("Min", ["given", "below"], ["minus"]))
    network.graph.node.append(make(operator, inputs, ["logits"]))
    return bytes(network.SerializeToString())


def test_int8_differs_from_fp32_and_stays_near() -> None:
    spec = tiny_spec(precision="int8")
    int8 = EncoderModel(spec, tiny_int8(), tiny_tokenizer(), runtime=ONE).logits(LINES)
    fp32 = tiny_encoder().logits(LINES)
    assert 0 < np.abs(int8 - fp32).max() < 3.0


def test_occlusions_are_what_the_logits_lose() -> None:
    encoder = tiny_encoder(("a", "b", "c"))
    found = encoder.occlusions("free prize, call")
    assert [piece.text for piece in found.pieces] == ["free", "prize", ",", "call"]
    np.testing.assert_allclose(found.logits, encoder.logits_of("free prize, call"), atol=1e-4)
    np.testing.assert_allclose(found.nothing, encoder.logits_of("\x01"), atol=1e-4)
    without = np.array(found.logits) - found.pieces[1].weights
    np.testing.assert_allclose(without, encoder.logits_of("free, call"), atol=1e-4)


@pytest.mark.parametrize("count", [1, 32, 33, 61, 62, 5_000])
def test_occlusions_are_bounded_and_cover_what_is_seen(count: int) -> None:
    text = " ".join(["free", "prize", "call", "now"] * (count // 4 + 1))
    words = text.split()[:count]
    found = tiny_encoder().occlusions(" ".join(words))
    seen = words if count <= LENGTH - 2 else [*words[:15], *words[-47:]]
    assert " ".join(piece.text for piece in found.pieces).split() == seen
    assert len(found.pieces) <= 32
