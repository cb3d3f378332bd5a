"""A frozen encoder and a regression: the network that is served gives the regression's logits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from assay.datasets import Rows
from assay.estimators.embedding import fit_embedding, fit_layer
from assay.estimators.encoder import EncoderModel
from assay.exceptions import DataError
from assay.families import EmbeddingConfig
from assay.progress import Progress
from tests.encoders import LINES, tiny_spec, tiny_tokenizer
from tests.libraries import need_training

need_training()

LABELS = ("pos", "neg")
ROWS = Rows([*LINES, "a", "b c d"], ["pos", "neg", "neg", "pos", "pos", "neg", "pos"])


def config(base: Path, **changes: Any) -> EmbeddingConfig:
    """Return the settings of a family over a base."""
    return EmbeddingConfig.model_validate(
        {"family": "embedding", "base": str(base), "max_tokens": 16, **changes}
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a tiny BERT."""
    import torch
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("base")
    torch.manual_seed(0)
    sizes = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    settings = BertConfig(**sizes, intermediate_size=64, max_position_embeddings=40, initializer_range=0.2)
    BertModel(settings, add_pooling_layer=False).save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes(tiny_tokenizer())
    return folder


def by_torch(base: Path, ids: list[int]) -> Any:
    """Return the mean of the last layer over a text's tokens at length 1."""
    import torch
    from transformers import BertModel

    with torch.no_grad():
        network = BertModel.from_pretrained(base, add_pooling_layer=False).eval()
        mean = network(torch.tensor([ids])).last_hidden_state[0].mean(0).numpy()
    return mean / np.linalg.norm(mean)


def test_the_network_gives_the_logits_of_a_regression_on_the_embeddings(base: Path, tmp_path: Path) -> None:
    progress = Progress(quiet=True)
    fitted = fit_embedding(config(base), LABELS, ROWS, work=tmp_path, progress=progress)
    model = EncoderModel(tiny_spec(LABELS, max_tokens=16), fitted.network, fitted.base.tokenizer)
    features = np.stack([by_torch(base, ids) for ids in model.tokens.ids(ROWS.texts)])
    expected = LogisticRegression(C=10, max_iter=1000).fit(
        features, [label == "neg" for label in ROWS.labels]
    )
    found = model.logits(ROWS.texts)
    np.testing.assert_allclose(found[:, 0], expected.decision_function(features), atol=1e-3)
    assert np.ptp(found) > 0.1

    # Another regression finds the embeddings done.
    again = fit_embedding(config(base, C=0.01), LABELS, ROWS, work=tmp_path, progress=progress)
    [folder] = tmp_path.iterdir()
    assert f"  7 of 7 texts have embeddings in {folder}" in progress.lines
    assert again.network != fitted.network


@pytest.mark.parametrize("labels", [("c", "a", "b"), ("b", "c", "a")])
def test_logits_are_in_the_order_of_the_labels(labels: tuple[str, ...]) -> None:
    settings = config(Path("none"), class_weight="balanced")
    features = np.eye(3, dtype=np.float32).repeat(3, axis=0)
    coef, intercept = fit_layer(settings, labels, features, ["a"] * 3 + ["b"] * 3 + ["c"] * 3)
    given = [labels[at] for at in (features @ coef.T + intercept).argmax(axis=1)]
    assert given == ["a"] * 3 + ["b"] * 3 + ["c"] * 3


@pytest.mark.parametrize("weight", ["none", "balanced"])
def test_rare_labels_weigh_more_where_that_is_asked(weight: str) -> None:
    features = np.ones((10, 1), np.float32)
    settings = config(Path("none"), class_weight=weight)
    coef, intercept = fit_layer(settings, LABELS, features, ["pos"] * 9 + ["neg"])
    logit = float((coef[0] + intercept)[0])
    assert abs(logit) < 1e-3 if weight == "balanced" else logit < -1


def test_a_label_without_rows_is_told_before_the_base_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No training row has the label 'neutral'"):
        fit_embedding(
            config(tmp_path / "none"),
            (*LABELS, "neutral"),
            ROWS,
            work=tmp_path,
            progress=Progress(quiet=True),
        )
