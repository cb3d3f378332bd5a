import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.estimators.encoder import EncoderModel, Runtime
from assay.estimators.encoder.network import DEEPEST, ENDLESS, check_network
from assay.exceptions import ArtifactError
from tests.encoders import tiny_int8, tiny_onnx, tiny_spec, tiny_tokenizer
from tests.estimators.encoder.test_wire import encoded

INPUTS = ("input_ids", "attention_mask")


def port(name: str, kind: int) -> bytes:
    return encoded(1, name.encode()) + encoded(2, encoded(1, encoded(1, kind) + encoded(2, b"")))


def node(operator: str, domain: str = "", attribute: bytes | None = None) -> bytes:
    more = b"" if attribute is None else encoded(5, attribute)
    return encoded(4, operator.encode()) + more + encoded(7, domain.encode())


def graph(*nodes: bytes, inputs: tuple[str, ...] = INPUTS, kind: int = 7, more: bytes = b"") -> bytes:
    taken = b"".join(encoded(11, port(name, kind)) for name in inputs)
    return b"".join(encoded(1, each) for each in nodes) + taken + encoded(12, port("logits", 1)) + more


def model(*nodes: bytes, more: bytes = b"") -> bytes:
    return encoded(7, graph(*nodes, more=more))


def nested(depth: int) -> bytes:
    """Return a model whose only node has a branch within a branch, and so on."""
    inner = b""
    for _ in range(depth):
        inner = encoded(1, node("If", attribute=encoded(6, inner)))
    return model(more=inner)


@pytest.mark.parametrize("network", [tiny_onnx(), tiny_onnx(3), tiny_int8(), tiny_int8(3)])
def test_real_networks_pass(network: bytes) -> None:
    check_network(network)


@pytest.mark.parametrize(
    "network",
    [model(), model(node("Add", "ai.onnx")), model(node("BiasGelu", "com.microsoft")), nested(DEEPEST)],
)
def test_what_an_encoder_may_hold_passes(network: bytes) -> None:
    check_network(network)


ELSEWHERE = encoded(8, b"weights") + encoded(13, encoded(1, b"location") + encoded(2, b"/etc/passwd"))
SPARSE = encoded(1, b"")


@pytest.mark.parametrize(
    ("network", "fault"),
    [
        (b"", "has no graph"),
        (encoded(7, graph()) * 2, "has two graphs"),
        (encoded(7, 1), "a number stands where a message belongs"),
        (model() + encoded(20, b""), "steps of a training"),
        (model() + encoded(25, b""), "functions of its own"),
        (model(more=encoded(5, ELSEWHERE)), "keeps the weights 'weights' as external data"),
        (model(more=encoded(5, encoded(14, 1))), "external data"),
        (model(more=encoded(5, encoded(13, 0))), "external data"),
        (model(node("Constant", attribute=encoded(5, ELSEWHERE))), "external data"),
        (model(node("Constant", attribute=encoded(10, ELSEWHERE))), "external data"),
        (model(node("If", attribute=encoded(6, encoded(5, ELSEWHERE)))), "external data"),
        (model(node("If", attribute=encoded(11, encoded(5, ELSEWHERE)))), "external data"),
        (model(more=encoded(15, SPARSE)), "sparse weights"),
        (model(node("Constant", attribute=encoded(22, SPARSE))), "sparse weights"),
        (model(node("Constant", attribute=encoded(23, SPARSE))), "sparse weights"),
        (model(node("Read", "evil.example")), "the operator 'evil.example.Read'"),
        (model(node("If", attribute=encoded(6, encoded(1, node("Read", "x"))))), "the operator 'x.Read'"),
        (model(node("EPContext", "com.microsoft")), "the operator 'com.microsoft.EPContext'"),
        *((model(node(name)), f"the operator '{name}'") for name in sorted(ENDLESS)),
        (model(encoded(4, b"\xff")), "is damaged"),
        (nested(DEEPEST + 1), "nests graphs more than 8 deep"),
        (encoded(7, graph(inputs=("input_ids",))), "takes 'input_ids' .* an encoder takes"),
        (encoded(7, graph(inputs=(*INPUTS, "token_type_ids"))), "token_type_ids"),
        (encoded(7, graph(inputs=())), "takes nothing"),
        (encoded(7, graph(kind=6)), "element type 6"),
        (encoded(7, graph(more=encoded(12, port("more", 1)))), "gives 'logits' .*, 'more'"),
        (encoded(7, graph(more=encoded(12, encoded(1, b"more") + encoded(2, b"")))), "element type 0"),
        (encoded(7, graph(more=encoded(12, encoded(2, encoded(1, b""))))), "element type 0"),
    ],
)
def test_what_an_encoder_must_not_hold_is_refused(network: bytes, fault: str) -> None:
    with pytest.raises(ArtifactError, match=fault):
        check_network(network)


def test_a_file_of_countless_fields_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.estimators.encoder.network.MOST_FIELDS", 100)
    with pytest.raises(ArtifactError, match="more than 100 fields"):
        check_network(model(*[node("Add")] * 40))


def usable(network: bytes) -> bool:
    """Return whether a network answers; anything but an answer or an ArtifactError is raised."""
    try:
        encoder = EncoderModel(tiny_spec(), network, tiny_tokenizer(), runtime=Runtime(threads=1))
    except ArtifactError:
        return False
    return len(encoder.logits_of("free prize")) == 1


@given(st.data())
@settings(max_examples=60)
def test_damaged_bytes_are_refused_or_answer(data: st.DataObject) -> None:
    network = data.draw(st.sampled_from([tiny_onnx(), tiny_int8()]))
    if data.draw(st.booleans()):
        assert not usable(network[: data.draw(st.integers(0, len(network) - 1))])
        return
    damaged = bytearray(network)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    usable(bytes(damaged))


@pytest.mark.parametrize("where", ["initializer", "attribute", "branch"])
def test_external_data_as_the_onnx_package_writes_it_is_refused(where: str) -> None:
    onnx = pytest.importorskip("onnx")
    network = onnx.load_from_string(tiny_onnx())
    tensor = onnx.numpy_helper.from_array(np.zeros((64, 64), np.float32), "weights")
    onnx.external_data_helper.set_external_data(tensor, location="weights.bin")
    tensor.ClearField("raw_data")
    constant = onnx.helper.make_node("Constant", [], ["constant"], value=tensor)
    if where == "initializer":
        network.graph.initializer.append(tensor)
    elif where == "attribute":
        network.graph.node.append(constant)
    else:
        branch = onnx.helper.make_graph([constant], "branch", [], [])
        network.graph.node.append(onnx.helper.make_node("If", ["x"], ["y"], then_branch=branch))
    with pytest.raises(ArtifactError, match="'weights' as external data"):
        check_network(network.SerializeToString())


def test_an_operator_of_another_library_is_refused_as_the_onnx_package_writes_it() -> None:
    onnx = pytest.importorskip("onnx")
    network = onnx.load_from_string(tiny_onnx())
    network.graph.node.append(onnx.helper.make_node("Read", ["logits"], ["more"], domain="evil.example"))
    with pytest.raises(ArtifactError, match=r"the operator 'evil\.example\.Read'"):
        check_network(network.SerializeToString())
