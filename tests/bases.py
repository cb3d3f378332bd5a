"""Tiny bases as Hugging Face's libraries save them: encoders with random weights, and what is no encoder."""

import json
from pathlib import Path
from typing import Any

from tests.encoders import make_tokenizer

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}


def tiny_base(folder: Path, *, texts: list[str] | None = None, **settings: Any) -> Path:
    """Write a BERT of two layers with its tokenizer, made from ``texts``, and return the folder."""
    import torch
    from transformers import BertConfig, BertForMaskedLM

    tokenizer = make_tokenizer(texts) if texts else make_tokenizer()
    entries = len(json.loads(tokenizer)["model"]["vocab"])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = BertForMaskedLM(BertConfig(vocab_size=entries, **{**SIZES, **settings}))
    network.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tokenizer)
    described = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]", "pad_token": "[PAD]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    return folder


def tiny_decoder(folder: Path) -> Path:
    """Write a GPT-2, which writes texts and reads none, and return the folder."""
    from transformers import GPT2Config, GPT2LMHeadModel

    GPT2LMHeadModel(GPT2Config(vocab_size=300, n_embd=32, n_layer=1, n_head=2)).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(make_tokenizer())
    return folder
