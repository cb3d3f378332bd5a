"""Encoders of torch to ONNX: what the service runs, checked against what it was exported from."""

import copy
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay.estimators.transformer.layers import add_layer
from assay.exceptions import ConversionError, MissingExtra

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    class Forward(Protocol):
        """Token ids and mask to what the exported network gives."""

        def __call__(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor: ...


AGREEMENT = 1e-4
"""How far a logit of the exported network may lie from torch's."""
BYTES = 2**31 - 1
"""ONNX keeps weights in its one file up to this size; files beside it are refused at loading."""
TALKATIVE = ("torch.onnx", "torch.__trace")
"""Loggers of the exporter: of operators that another library lacks, and of every step of tracing."""
CHECKED = ((1, 1), (1, 2), (2, 7), (5, 33), (2, 128))
"""Rows and tokens of the random texts that both networks are compared on."""


def export_network(classifier: "Module", *, labels: int) -> bytes:
    """Return a sequence classifier of Hugging Face as an ONNX network with the same logits.

    Its inputs are ``input_ids`` and ``attention_mask`` (int64, shape (texts, tokens), both free), its output
    is ``logits`` (float32, shape (texts, logits)): with two labels one logit, that of the second label less
    that of the first, with more one a label. The classifier itself is left as it is.

    Raises ConversionError when the classifier gives another number of logits, has weights of 2 GB or more,
    cannot be traced, or gives other logits than its export; MissingExtra without torch or onnx.
    """

    def forward(network: Any, input_ids: "Tensor", attention_mask: "Tensor") -> "Tensor":
        logits: Tensor = network(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits[:, 1:] - logits[:, :1] if labels == 2 else logits

    found = getattr(classifier.config, "num_labels", None)
    if found != labels:
        raise ConversionError(
            f"The classifier gives {found!r} logits a text, and the task has {labels} labels.", found=found
        )
    return _export(classifier, forward)


def export_embedding(encoder: "Module", coef: NDArray[Any], intercept: NDArray[Any]) -> bytes:
    """Return a frozen encoder with a linear layer as an ONNX network like that of ``export_network``.

    A text's embedding (``export_encoder``) times ``coef``, shape (logits, hidden), plus ``intercept``, shape
    (logits,), are its logits. Raises as ``export_network`` does.
    """
    return add_layer(export_encoder(encoder), coef, intercept)


def export_encoder(encoder: "Module") -> bytes:
    """Return an encoder of Hugging Face as an ONNX network that embeds texts.

    Its inputs and the name of its output are those of ``export_network``; the output, shape (texts, hidden),
    is the mean of the last layer over a text's tokens, padding left out, scaled to length 1 (Reimers and
    Gurevych 2019, section 3). Raises as ``export_network`` does.
    """

    def forward(network: Any, input_ids: "Tensor", attention_mask: "Tensor") -> "Tensor":
        hidden: Tensor = network(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1.0)
        scaled: Tensor = mean / mean.square().sum(-1, keepdim=True).sqrt().clamp(min=1e-12)
        return scaled

    return _export(encoder, forward)


def _export(network: "Module", forward: Any) -> bytes:
    """Return a network behind a forward pass as ONNX, checked on random texts."""
    size = sum(each.numel() for each in (*network.parameters(), *network.buffers())) * 4
    if size > BYTES:
        raise ConversionError(
            f"The network's weights take {size / 1e9:.1f} GB, and ONNX holds less than 2.1 GB in one file; "
            "take a smaller base.",
            bytes=size,
        )
    wrapped = _wrap(network, forward)
    exported = _trace(wrapped, _longest(network.config))
    _check(wrapped, exported, network.config)
    return exported


def _wrap(network: "Module", forward: Any) -> "Module":
    """Return a module of a copy of the network: in evaluation mode, on the CPU, in single precision."""
    from torch.nn import Module

    class Wrapped(Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = copy.deepcopy(network)
            # The fused attention of torch becomes more operators, which take 5 % more time.
            if hasattr(self.network, "set_attn_implementation"):
                self.network.set_attn_implementation("eager")

        def forward(self, input_ids: "Tensor", attention_mask: "Tensor") -> Any:
            return forward(self.network, input_ids, attention_mask)

    # Without this dropout stays on in what is exported.
    return Wrapped().to("cpu").float().eval()


def _trace(wrapped: "Module", longest: int) -> bytes:
    """Return the ONNX file of a module, weights inside."""
    try:
        import onnxscript  # noqa: F401
        import torch
    except ImportError as error:
        raise MissingExtra(
            "Exporting a network", package=error.name or "onnxscript", extra="transformers"
        ) from error
    # Sizes of 0 and 1 would be taken for constants; two texts of nine tokens stand for any.
    tokens = min(9, longest)
    example = {name: torch.ones((2, tokens), dtype=torch.int64) for name in ("input_ids", "attention_mask")}
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    try:
        with _quiet(), torch.no_grad():
            program: Any = torch.onnx.export(
                wrapped,
                kwargs=example,
                dynamo=True,
                verbose=False,
                input_names=list(example),
                output_names=["logits"],
                dynamic_shapes=dict.fromkeys(example, free),
            )
    except (torch.onnx.OnnxExporterError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ConversionError(f"The network cannot become ONNX: {first}") from error
    return _bare(program.model_proto)


def _bare(model: Any) -> bytes:
    """Return a network without what tracing noted: shapes between nodes, places in source files."""
    # These shapes keep quantization from its work; the places would tell of this machine.
    del model.graph.value_info[:]
    for part in (model, model.graph, *model.graph.node, *model.graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    for each in (*model.graph.input, *model.graph.output):
        del each.metadata_props[:]
    bare: bytes = model.SerializeToString()
    return bare


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporter says of its own workings from the terminal."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        # Of torch's calls to itself, and of axes that two inputs share.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", r"# The axis name", UserWarning)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _longest(config: Any) -> int:
    """Return how many tokens a network surely takes; some give the first positions away to padding."""
    positions = getattr(config, "max_position_embeddings", None) or 512
    return max(1, positions - 1 - (getattr(config, "pad_token_id", None) or 0))


def _check(wrapped: "Module", exported: bytes, config: Any) -> None:
    """Raise ConversionError unless both networks give random texts the same, padded ones too."""
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    random, longest, worst = np.random.default_rng(0), _longest(config), 0.0
    for texts, tokens in CHECKED:
        tokens = min(tokens, longest)
        ids = random.integers(0, config.vocab_size, (texts, tokens), np.int64)
        lengths = random.integers(1, tokens + 1, (texts, 1))
        lengths[0] = tokens
        mask = (np.arange(tokens) < lengths).astype(np.int64)
        with torch.no_grad():
            expected = wrapped(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        found = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        # Not Python's max, which passes over what is not a number.
        worst = float(np.maximum(worst, np.abs(found - expected).max()))
    if not worst <= AGREEMENT:
        raise ConversionError(
            f"The exported network's answers differ from torch's by up to {worst:g}; at most {AGREEMENT:g} "
            "is allowed. Take another base, or other versions of torch and onnxscript.",
            difference=worst,
        )
