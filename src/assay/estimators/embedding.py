"""The family between n-grams and fine-tuning: logistic regression on the embeddings of a frozen encoder."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.estimators.embeddings import Embedder, EmbeddingStore
from assay.estimators.linear import Floats
from assay.estimators.tfidf import check_targets
from assay.families import EmbeddingConfig
from assay.progress import Progress

if TYPE_CHECKING:
    from assay.datasets import Rows
    from assay.estimators.transformer.base import Base


class FittedEmbedding(NamedTuple):
    """The network of a frozen encoder and its regression as ONNX, in single precision, and its base."""

    network: bytes
    base: "Base"


def fit_embedding(
    config: EmbeddingConfig, labels: Sequence[str], train: "Rows", *, work: Path, progress: Progress
) -> FittedEmbedding:
    """Return a frozen encoder with a logistic regression on its embeddings, fitted on labelled rows.

    The regression becomes the last layer of the encoder's network: with two labels one logit, that of the
    second label, with more one a label. Embeddings are kept in the folder ``work`` by what they are made of,
    so that an interrupted run goes on where it stopped and another regression finds them done.

    Raises DataError for labels without rows, ConfigError for a base that cannot be used, ConversionError for
    one that cannot become ONNX, ArtifactError for kept embeddings that are damaged, MissingExtra.
    """
    from assay.estimators.transformer.base import check_vocabulary, load_base
    from assay.estimators.transformer.export import export_encoder
    from assay.estimators.transformer.layers import add_layer
    from assay.estimators.transformer.network import build_encoder

    check_targets(labels, train.labels)
    base = load_base(config)
    tokens = base.tokens(config)
    check_vocabulary(base, tokens, train.texts)
    with progress.step(f"export the encoder {base.name}"):
        encoder = export_encoder(build_encoder(base))
    made_of = (encoder, base.tokenizer, f"{config.max_tokens} {config.truncation}".encode())
    store = EmbeddingStore(work / f"embeddings-{_identity(made_of)}")
    embedder = Embedder(encoder, tokens)
    features = store.embeddings(train.texts, embedder, progress=progress)
    with progress.step(f"fit {features.shape[1]:,} weights on {len(train):,} embeddings"):
        coef, intercept = fit_layer(config, labels, features, train.labels)
    return FittedEmbedding(add_layer(encoder, coef, intercept), base)


def fit_layer(
    config: EmbeddingConfig, labels: Sequence[str], features: NDArray[np.float32], targets: Sequence[str]
) -> tuple[Floats, Floats]:
    """Return weights, shape (logits, features), and intercepts of a regression, in the order of labels."""
    from sklearn.linear_model import LogisticRegression

    number = {label: at for at, label in enumerate(labels)}
    classifier = LogisticRegression(
        C=config.C,
        class_weight=None if config.class_weight == "none" else config.class_weight,
        max_iter=config.max_iter,
        random_state=config.seed,
    )
    # Numbers as targets: scikit-learn sorts its classes, and these are sorted as the labels are listed.
    classifier.fit(features.astype(np.float64), [number[label] for label in targets])
    return classifier.coef_, classifier.intercept_


def _identity(parts: Sequence[bytes]) -> str:
    """Return what tells these parts from others, as part of a folder's name."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
