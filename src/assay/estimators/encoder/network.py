"""What a file may hold before ONNX Runtime sees it: an encoder, whole, in operators that are known.

ONNX files name other files for their weights, and operators of other libraries. The bytes are read here
first, with the numbers of the fields from onnx.proto, so that neither is followed.
"""

from collections.abc import Iterator
from typing import NamedTuple

from assay.estimators.encoder.wire import Value, WireError, fields
from assay.exceptions import ArtifactError

INPUTS = ("input_ids", "attention_mask")
OUTPUT = "logits"
STANDARD = ("", "ai.onnx")
MICROSOFT = "com.microsoft"
FUSED = frozenset(
    (
        *("Attention", "BiasGelu", "DynamicQuantizeMatMul", "EmbedLayerNormalization", "FastGelu"),
        *("FusedMatMul", "Gelu", "MatMulIntegerToFloat", "MultiHeadAttention", "QAttention"),
        *("QEmbedLayerNormalization", "QuickGelu", "RotaryEmbedding", "SkipLayerNormalization"),
    )
)
"""The operators of ``com.microsoft`` that fusing and quantizing an encoder make; others may open files."""
ENDLESS = frozenset(("Loop", "Scan", "SequenceMap"))
"""Standard operators that may run without end; no encoder needs one."""
DEEPEST = 8
"""How far graphs may be nested in the branches of graphs."""
MOST_FIELDS = 2_000_000
"""Fields of one file; an encoder of 24 layers has some 50,000."""
INT64, FLOAT = 7, 1
"""Numbers of element types."""


class Port(NamedTuple):
    """A name that a network takes or gives, and the number of its element type."""

    name: str
    kind: int


def check_network(network: bytes) -> None:
    """Raise ArtifactError for an ONNX file that is damaged, is no encoder's, or needs more than itself.

    Refused are weights in other files, wherever they are named, operators of other libraries, functions of
    its own, loops, sparse weights, and other inputs and outputs than an encoder's.
    """
    try:
        inputs, outputs = _Inspection().model(memoryview(network))
    except (WireError, UnicodeDecodeError) as error:
        raise ArtifactError(f"model.onnx is damaged: {error}.") from error
    if sorted(inputs) != sorted(Port(name, INT64) for name in INPUTS):
        raise ArtifactError(
            f"model.onnx takes {_listed(inputs)}; an encoder takes {' and '.join(map(repr, INPUTS))}, "
            f"each of element type {INT64}, int64."
        )
    if outputs != [Port(OUTPUT, FLOAT)]:
        raise ArtifactError(
            f"model.onnx gives {_listed(outputs)}; an encoder gives {OUTPUT!r}, of {FLOAT}, float32."
        )


def _listed(ports: list[Port]) -> str:
    return ", ".join(f"{port.name!r} (element type {port.kind})" for port in ports) or "nothing"


class _Inspection:
    """One reading of a file, message by message; each method is named after the message that it reads."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS

    def model(self, message: memoryview) -> tuple[list[Port], list[Port]]:
        """Return what the network takes and what it gives."""
        found = None
        for number, value in self._fields(message):
            if number == 7 and found:
                raise ArtifactError("model.onnx has two graphs.")
            if number == 7:
                found = self.graph(_bytes(value), 0)
            elif number == 20:
                raise ArtifactError("model.onnx has steps of a training; export it for inference.")
            elif number == 25:
                raise ArtifactError("model.onnx has functions of its own; export it with them written out.")
        if found is None:
            raise ArtifactError("model.onnx has no graph.")
        return found

    def graph(self, message: memoryview, depth: int) -> tuple[list[Port], list[Port]]:
        if depth > DEEPEST:
            raise ArtifactError(f"model.onnx nests graphs more than {DEEPEST} deep.")
        inputs, outputs = [], []
        for number, value in self._fields(message):
            if number == 1:
                self.node(_bytes(value), depth)
            elif number == 5:
                self.tensor(_bytes(value))
            elif number == 11:
                inputs.append(self.port(_bytes(value)))
            elif number == 12:
                outputs.append(self.port(_bytes(value)))
            elif number == 15:
                raise ArtifactError("model.onnx has sparse weights, which are not supported.")
        return inputs, outputs

    def node(self, message: memoryview, depth: int) -> None:
        operator = domain = ""
        for number, value in self._fields(message):
            if number == 4:
                operator = _text(value)
            elif number == 7:
                domain = _text(value)
            elif number == 5:
                self.attribute(_bytes(value), depth)
        if domain in STANDARD and operator not in ENDLESS:
            return
        if domain == MICROSOFT and operator in FUSED:
            return
        called = f"{domain}.{operator}" if domain else operator
        raise ArtifactError(
            f"model.onnx has the operator {called!r}. Allowed are the standard ones but "
            f"{', '.join(sorted(ENDLESS))}, and of {MICROSOFT} {', '.join(sorted(FUSED))}."
        )

    def attribute(self, message: memoryview, depth: int) -> None:
        for number, value in self._fields(message):
            if number in (5, 10):
                self.tensor(_bytes(value))
            elif number in (6, 11):
                self.graph(_bytes(value), depth + 1)
            elif number in (22, 23):
                raise ArtifactError("model.onnx has sparse weights, which are not supported.")

    def tensor(self, message: memoryview) -> None:
        name, elsewhere = "", False
        for number, value in self._fields(message):
            if number == 8:
                name = _text(value)
            # What names the file, or the field that says that there is one; 0 is this file.
            elsewhere = elsewhere or number == 13 or (number == 14 and value != 0)
        if elsewhere:
            raise ArtifactError(
                f"model.onnx keeps the weights {name!r} as external data, in another file. "
                "An encoder's file holds all of its weights: export it with external_data=False.",
                weights=name,
            )

    def port(self, message: memoryview) -> Port:
        name, kind = "", 0
        for number, value in self._fields(message):
            if number == 1:
                name = _text(value)
            elif number == 2:
                kind = self.element(_bytes(value))
        return Port(name, kind)

    def element(self, message: memoryview) -> int:
        """Return the element type of a type, 0 unless it is a tensor's."""
        for number, value in self._fields(message):
            if number == 1:
                for inner, of in self._fields(_bytes(value)):
                    if inner == 1 and isinstance(of, int):
                        return of
        return 0

    def _fields(self, message: memoryview) -> Iterator[tuple[int, Value]]:
        for each in fields(message):
            self._left -= 1
            if self._left < 0:
                raise ArtifactError(f"model.onnx has more than {MOST_FIELDS:,} fields; encoders have fewer.")
            yield each


def _bytes(value: Value) -> memoryview:
    if isinstance(value, int):
        raise WireError("a number stands where a message belongs")
    return value


def _text(value: Value) -> str:
    return str(_bytes(value), "utf-8")
