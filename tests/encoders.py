"""Tiny encoders with random weights: a BERT of two layers and a WordPiece tokenizer, as ONNX files.

The files lie in tests/artifacts/encoder, so that no test of serving waits for torch or needs it; they are
made anew, where torch is installed, by ``python -m tests.encoders``.
"""

import functools
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.estimators.encoder import EncoderModel, EncoderSpec, Runtime

FILES = Path(__file__).parent / "artifacts" / "encoder"
LINES = (
    "the movie was wonderful and I loved every minute of it",
    "a terrible film, a waste of time and of money",
    "free prize, call now to claim your cash",
    "are you coming home for dinner tonight?",
    "it is not bad at all; the actors are great, the music is awful",
)
"""What the tokenizer's vocabulary is made from."""
ENTRIES = 300
LENGTH = 64
"""The most tokens that the network has positions for."""


def tiny_tokenizer() -> bytes:
    """Return a tokenizer.json like BERT's, with settings of padding and truncation that must not act."""
    return _read("tokenizer.json")


def tiny_onnx(logits: int = 1) -> bytes:
    """Return the bytes of a tiny network's model.onnx, with batch and length left open; 1 or 3 logits."""
    return _read(f"{logits}-logits.onnx")


def tiny_int8(logits: int = 1) -> bytes:
    """Return the same network with its weights in eight bits, quantized as it runs."""
    return _read(f"{logits}-logits-int8.onnx")


@functools.cache
def _read(name: str) -> bytes:
    return (FILES / name).read_bytes()


def tiny_spec(labels: tuple[str, ...] = ("neg", "pos"), **settings: Any) -> EncoderSpec:
    """Return the description of a tiny encoder."""
    link = "sigmoid" if len(labels) == 2 else "softmax"
    return EncoderSpec.model_validate({"link": link, "labels": labels, "max_tokens": LENGTH} | settings)


def tiny_encoder(
    labels: tuple[str, ...] = ("neg", "pos"), *, runtime: Runtime | None = None, **settings: Any
) -> EncoderModel:
    """Return a tiny encoder of two or three labels; ``settings`` are those of its description."""
    spec = tiny_spec(labels, **settings)
    make = tiny_int8 if spec.precision == "int8" else tiny_onnx
    return EncoderModel(spec, make(spec.logits), tiny_tokenizer(), runtime=runtime or Runtime(threads=1))


def make_tokenizer(texts: Sequence[str] = LINES, *, entries: int = ENTRIES) -> bytes:
    """Train a tokenizer on texts; its vocabulary differs from run to run."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=entries,
        special_tokens=special,
        show_progress=False,
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'"),
    )
    tokenizer.train_from_iterator([*texts] * 3, trainer)
    numbers = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=numbers
    )
    tokenizer.enable_padding(length=48)
    tokenizer.enable_truncation(16)
    return json.dumps(json.loads(tokenizer.to_str()), indent=1).encode() + b"\n"


def make_network(logits: int = 1, *, entries: int = ENTRIES, seed: int = 0) -> Any:
    """Return a torch module from ids and mask to logits: a BERT whose random weights are large."""
    import torch
    from transformers import BertConfig, BertModel

    class Classifier(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            config = BertConfig(
                vocab_size=entries,
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=LENGTH,
                initializer_range=0.2,
            )
            self.encoder = BertModel(config, add_pooling_layer=False)
            self.head = torch.nn.Linear(32, logits)
            torch.nn.init.normal_(self.head.weight)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            kinds = torch.zeros_like(input_ids)
            states = self.encoder(
                input_ids=input_ids, attention_mask=attention_mask, token_type_ids=kinds
            ).last_hidden_state
            found: torch.Tensor = self.head(states[:, 0])
            return found

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Classifier().eval()


def make_onnx(network: Any) -> bytes:
    """Return a torch module as an ONNX file without the notes of where its operators come from."""
    import onnx
    import torch

    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    # Two tensors: one given twice becomes one input, and the network reads the mask where it should read ids.
    ids, mask = (torch.ones((2, 8), dtype=torch.long) for _ in range(2))
    program = torch.onnx.export(
        network,
        (ids, mask),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_shapes={"input_ids": {0: batch, 1: length}, "attention_mask": {0: batch, 1: length}},
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    stream = io.BytesIO()
    program.save(stream)
    model = onnx.load_from_string(stream.getvalue())
    del model.graph.value_info[:]
    for part in (model, model.graph, *model.graph.node, *model.graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    return bytes(model.SerializeToString())


def make_int8(network: bytes) -> bytes:
    """Return an ONNX file with the weights of its matrices in eight bits, a scale a column."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "int8.onnx"
        quantize_dynamic(
            onnx.load_from_string(network),
            target,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm"],
        )
        return target.read_bytes()


if __name__ == "__main__":
    FILES.mkdir(parents=True, exist_ok=True)
    (FILES / "tokenizer.json").write_bytes(make_tokenizer())
    for count in (1, 3):
        made = make_onnx(make_network(count))
        (FILES / f"{count}-logits.onnx").write_bytes(made)
        (FILES / f"{count}-logits-int8.onnx").write_bytes(make_int8(made))
