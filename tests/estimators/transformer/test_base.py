"""What a training can begin with, and what it says of what it cannot."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from assay.datasets import Rows
from assay.estimators import train_cascade
from assay.estimators.transformer import base as module
from assay.estimators.transformer.base import load_base, longest_of, require_libraries
from assay.estimators.transformer.network import build_classifier, build_encoder
from assay.exceptions import ConfigError, MissingExtra
from assay.progress import Progress
from tests.bases import tiny_base, tiny_decoder
from tests.estimators.transformer.conftest import task_of


def opened(folder: Path | str, **estimator: Any) -> module.Base:
    """Return the base in a folder."""
    return load_base(task_of(Path(folder), **estimator).estimator)


@pytest.fixture
def copy(base: Path, tmp_path: Path) -> Path:
    """A copy of the tiny base, to be damaged."""
    return Path(shutil.copytree(base, tmp_path / "copy"))


def test_a_folder_gives_its_network_and_tokenizer(base: Path) -> None:
    found = opened(base)
    network = build_classifier(found, ("negative", "positive"), seed=0)
    assert (network.config.num_labels, found.tokens(task_of(base).estimator).size) == (
        2,
        found.config.vocab_size,
    )
    again = build_classifier(found, ("negative", "positive"), seed=0)
    other = build_classifier(found, ("negative", "positive"), seed=1)
    assert network.classifier.weight.equal(again.classifier.weight)
    assert not network.classifier.weight.equal(other.classifier.weight)
    assert build_encoder(found).config.hidden_size == 32


def test_what_writes_texts_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"of the kind 'gpt2', which is no encoder"):
        opened(tiny_decoder(tmp_path / "gpt2"))


def test_a_folder_that_is_absent_or_holds_no_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no folder '.*nothing'"):
        opened(tmp_path / "nothing")
    with pytest.raises(ConfigError, match=r"holds no encoder: it has no config\.json"):
        opened(tmp_path)


def test_a_name_that_the_hub_does_not_give_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        ConfigError, match=r"The base 'no-such/model' cannot be loaded: .*docs/transformers\.md"
    ):
        opened("no-such/model")


def test_a_tokenizer_with_more_entries_than_the_network_does_not_match(
    copy: Path, rows: tuple[Rows, Rows]
) -> None:
    settings = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(settings | {"vocab_size": 50}))
    with pytest.raises(
        ConfigError, match=r"tokenizer of the base '.*' does not match its network: .* knows 50"
    ):
        opened(copy)


def test_more_tokens_than_the_network_reads_are_refused(base: Path) -> None:
    with pytest.raises(ConfigError, match=r"estimator\.max_tokens is 65, and .* reads at most 64 tokens"):
        opened(base, max_tokens=65)


@pytest.mark.parametrize(("kind", "offset"), [("roberta", 2), ("bert", 0)])
def test_some_networks_count_positions_from_behind_the_padding(kind: str, offset: int) -> None:
    class Settings:
        model_type, max_position_embeddings = kind, 514

    assert longest_of(Settings()) == 514 - offset


def test_a_network_without_positions_has_no_limit() -> None:
    class Settings:
        model_type = "deberta-v2"

    assert longest_of(Settings()) is None


def test_weights_that_are_cut_short_are_named(copy: Path) -> None:
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match=r"weights of the base '.*copy' cannot be loaded"):
        build_classifier(opened(copy), ("negative", "positive"), seed=0)


def test_weights_of_another_network_are_refused(copy: Path) -> None:
    settings = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(settings | {"num_hidden_layers": 3}))
    with pytest.raises(ConfigError, match=r"lacks weights that its network needs: bert\.encoder\.layer\.2"):
        build_classifier(opened(copy), ("negative", "positive"), seed=0)


def test_a_vocabulary_that_does_not_know_the_texts_is_refused(
    tmp_path: Path, rows: tuple[Rows, Rows]
) -> None:
    folder = tiny_base(tmp_path / "other")
    cyrillic = [
        Rows([f"это {number} фильм хорош" for number in range(40)], ["negative", "positive"] * 20)
    ] * 2
    with pytest.raises(ConfigError, match=r"vocabulary of the base .* does not know \d+% of the tokens"):
        train_cascade(task_of(folder), *cyrillic, progress=Progress(quiet=True))


def test_a_missing_library_is_named_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else real(name)
    )
    with pytest.raises(MissingExtra, match=r"onnxscript.*assay\[transformers\]"):
        require_libraries()
