"""Export to ONNX: the same logits as torch's, whatever the encoder, the length and the padding."""

import logging
import sys
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from assay.estimators.encoder import Runtime, Sessions
from assay.estimators.transformer.export import export_embedding, export_network
from assay.exceptions import ConversionError, MissingExtra

SIZES = {"vocab_size": 300, "num_hidden_layers": 1, "num_attention_heads": 2, "initializer_range": 0.2}


class Small(torch.nn.Module):
    """A classifier like those of Hugging Face: embeddings, their mean, a layer."""

    def __init__(self, labels: int = 2) -> None:
        super().__init__()
        self.config = SimpleNamespace(num_labels=labels, vocab_size=50, max_position_embeddings=16)
        self.embed = torch.nn.Embedding(50, 8)
        self.dropout = torch.nn.Dropout(0.5)
        self.layer = torch.nn.Linear(8, labels)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        """Return the logits as Hugging Face's classifiers do."""
        hidden = self.dropout(self.embed(input_ids)) * attention_mask.unsqueeze(-1)
        return SimpleNamespace(logits=self.layer(hidden.mean(1)))


class Branching(Small):
    """A classifier whose work depends on the values of its input, which cannot be traced."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        """Return twice the logits for some texts."""
        logits = super().forward(input_ids, attention_mask).logits
        return SimpleNamespace(logits=logits * 2 if input_ids.sum() > 100 else logits)


class Different(Small):
    """A classifier that gives other logits once it is traced."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        """Return logits that tracing moves."""
        logits = super().forward(input_ids, attention_mask).logits
        return SimpleNamespace(logits=logits * (1.01 if torch.compiler.is_exporting() else 1.0))


class Undefined(Small):
    """A classifier whose logits are no numbers."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        """Return logits that are no numbers."""
        logits = super().forward(input_ids, attention_mask).logits
        return SimpleNamespace(logits=logits * float("nan"))


def bert(labels: int) -> torch.nn.Module:
    """Return a BERT with a head, which wants token types."""
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        **SIZES, hidden_size=32, intermediate_size=64, max_position_embeddings=40, num_labels=labels
    )
    return BertForSequenceClassification(config)


def roberta() -> torch.nn.Module:
    """Return a RoBERTa, whose positions begin behind the number of its padding token."""
    from transformers import RobertaConfig, RobertaModel

    return RobertaModel(
        RobertaConfig(**SIZES, hidden_size=32, intermediate_size=64, max_position_embeddings=42),
        add_pooling_layer=False,
    )


def texts(rows: int, tokens: int, *, size: int = 300, seed: int = 1) -> dict[str, Any]:
    """Return token ids and a mask of rows whose first is not padded."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, tokens + 1, (rows, 1))
    lengths[0] = tokens
    mask = (np.arange(tokens) < lengths).astype(np.int64)
    ids = np.where(mask, random.integers(5, size, (rows, tokens)), 1)
    return {"input_ids": ids, "attention_mask": mask}


def run(network: bytes, given: dict[str, Any]) -> Any:
    """Return what ONNX Runtime makes of texts."""
    return Sessions(network, Runtime(threads=1)).run(given["input_ids"], given["attention_mask"])


def by_torch(module: torch.nn.Module, given: dict[str, Any]) -> Any:
    """Return what torch makes of texts."""
    with torch.no_grad():
        return module.eval()(**{name: torch.from_numpy(array) for name, array in given.items()})


@pytest.fixture(scope="module")
def classifier() -> torch.nn.Module:
    """A classifier of two labels, left in training mode."""
    torch.manual_seed(0)
    return bert(2).train()


@pytest.fixture(scope="module")
def exported(classifier: torch.nn.Module) -> bytes:
    """Its export."""
    return export_network(classifier, labels=2)


@pytest.mark.parametrize(("rows", "tokens"), [(1, 1), (1, 40), (2, 9), (7, 23)])
def test_two_labels_give_one_logit_the_second_less_the_first(
    classifier: torch.nn.Module, exported: bytes, rows: int, tokens: int
) -> None:
    given = texts(rows, tokens)
    logits = by_torch(classifier, given).logits.numpy()
    found = run(exported, given)
    assert found.shape == (rows, 1)
    np.testing.assert_allclose(found[:, 0], logits[:, 1] - logits[:, 0], atol=1e-5)


def test_more_labels_give_a_logit_each() -> None:
    torch.manual_seed(0)
    module = Small(3)
    given = texts(4, 11, size=50)
    found = run(export_network(module, labels=3), given)
    np.testing.assert_allclose(found, by_torch(module, given).logits.numpy(), atol=1e-6)


def test_a_text_has_the_same_logit_beside_any_other(exported: bytes) -> None:
    given = texts(7, 23)
    together = run(exported, given)
    assert np.ptp(together) > 1e-3
    for row, length in enumerate(given["attention_mask"].sum(axis=1).tolist()):
        alone = {name: array[row : row + 1, :length] for name, array in given.items()}
        np.testing.assert_allclose(run(exported, alone)[0], together[row], atol=1e-5)


def test_dropout_is_off_in_what_is_exported_and_the_classifier_stays_as_it_was(
    classifier: torch.nn.Module,
) -> None:
    module = Small().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    given = texts(3, 9, size=50)
    exported = export_network(module, labels=2)
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    np.testing.assert_array_equal(run(exported, given), run(exported, given))


def test_the_file_holds_its_weights_and_nothing_of_this_machine(exported: bytes) -> None:
    model = onnx.load_from_string(exported)
    assert not [each for each in model.graph.initializer if each.external_data]
    assert [each.name for each in model.graph.input] == ["input_ids", "attention_mask"]
    assert [each.name for each in model.graph.output] == ["logits"]
    assert not model.graph.value_info
    assert b".py" not in exported
    assert {node.domain for node in model.graph.node} == {""}


def test_an_embedding_is_the_mean_of_the_last_layer_without_padding_at_length_one() -> None:
    torch.manual_seed(0)
    module, given = roberta(), texts(5, 40)
    hidden = by_torch(module, given).last_hidden_state.numpy()
    rows = [row[:length].mean(0) for row, length in zip(hidden, given["attention_mask"].sum(1), strict=True)]
    expected = np.stack([row / np.linalg.norm(row) for row in rows])
    random = np.random.default_rng(0)
    coef, intercept = random.normal(size=(3, 32)), random.normal(size=3)
    found = run(export_embedding(module, coef, intercept), given)
    np.testing.assert_allclose(found, expected @ coef.T + intercept, atol=1e-4)


def test_exporting_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    level, filters = logging.getLogger("torch.onnx").level, list(warnings.filters)
    export_network(Small(), labels=2)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("torch.onnx").level == level
    assert warnings.filters == filters


def test_a_classifier_of_another_number_of_labels_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"gives 3 logits a text, and the task has 2 labels"):
        export_network(Small(3), labels=2)


def test_weights_that_one_file_cannot_hold_are_refused() -> None:
    module = Small()
    module.embed = torch.nn.Embedding(2**20, 2**9, device="meta")
    with pytest.raises(ConversionError, match=r"weights take 2\.1 GB, and ONNX holds less than 2\.1 GB"):
        export_network(module, labels=2)


def test_a_network_that_cannot_be_traced_is_refused() -> None:
    with pytest.raises(ConversionError, match="The network cannot become ONNX"):
        export_network(Branching(), labels=2)


@pytest.mark.parametrize("kind", [Different, Undefined])
def test_an_export_that_answers_otherwise_than_torch_is_refused(kind: type[Small]) -> None:
    with pytest.raises(ConversionError, match=r"answers differ from torch's by up to .*; at most 0\.0001"):
        export_network(kind(), labels=2)


def test_without_its_library_nothing_is_exported_and_the_package_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(MissingExtra, match=r"Exporting a network needs the package 'onnxscript'"):
        export_network(Small(), labels=2)
