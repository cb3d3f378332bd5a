"""An encoder with a new classification head, its weights checked as they are loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.estimators.transformer.base import Base, quietly
from assay.exceptions import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

HEADS = ("classifier.", "pre_classifier.", "score.", "pooler.", "head.", "bert.pooler.", "sequence_summary.")
"""What a classification head is made of: new for every task, so never among the weights of a base."""


def build_classifier(base: Base, labels: Sequence[str], *, seed: int) -> "PreTrainedModel":
    """Return an encoder with a head for labels, whose new weights depend on the seed alone.

    Raises ConfigError for a file of weights that is missing, cut short or of another network.
    """
    import torch
    import transformers

    torch.manual_seed(seed)
    numbers = {
        "num_labels": len(labels),
        "id2label": dict(enumerate(labels)),
        "label2id": {label: number for number, label in enumerate(labels)},
    }
    return _loaded(base, transformers.AutoModelForSequenceClassification, numbers)


def build_encoder(base: Base) -> "PreTrainedModel":
    """Return the encoder alone. Raises ConfigError for weights that cannot be used."""
    import transformers

    return _loaded(base, transformers.AutoModel, {})


def _loaded(base: Base, kind: Any, changes: dict[str, Any]) -> "PreTrainedModel":
    import torch
    from safetensors import SafetensorError

    try:
        with quietly():
            network, account = kind.from_pretrained(
                base.place, dtype=torch.float32, output_loading_info=True, **changes
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        first = " ".join(str(error).split())[:300]
        raise ConfigError(
            f"The weights of the base {base.name!r} cannot be loaded: {first}. A file that is cut short "
            "is to be fetched again; weights of another network do not fit."
        ) from error
    missing = sorted(key for key in account["missing_keys"] if not _of_a_head(key, network))
    if missing:
        raise ConfigError(
            f"The base {base.name!r} lacks weights that its network needs: {', '.join(missing[:3])}"
            f"{' ...' if missing[3:] else ''} ({len(missing)} in all). Its config.json is another network's."
        )
    return network


def _of_a_head(key: str, network: Any) -> bool:
    inner = key.removeprefix(f"{network.base_model_prefix}.")
    return key.startswith(HEADS) or inner.startswith(HEADS)


def save_checkpoint(network: "PreTrainedModel", tokenizer: bytes, folder: Path) -> None:
    """Write a network as Hugging Face's libraries load it: config.json, safetensors, tokenizer.json."""
    with quietly():
        network.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer)
