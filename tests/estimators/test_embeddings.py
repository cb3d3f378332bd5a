"""Embeddings on disk: found again by the exact text, made only where there are none."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from assay.estimators import embeddings
from assay.estimators.embeddings import Embedder, Embeddings, EmbeddingStore
from assay.exceptions import ArtifactError
from assay.progress import Progress
from tests.encoders import LINES, tiny_encoder, tiny_onnx

TEXTS = [*LINES, LINES[0], "a", "b " * 90]


class Counting(Embedder):
    """An embedder that notes its texts, and breaks off after so many calls."""

    def __init__(self, calls: int = 99) -> None:
        super().__init__(tiny_onnx(3), tiny_encoder().tokens)
        self.seen: list[str] = []
        self.calls = calls

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return embeddings, or break off."""
        if not self.calls:
            raise KeyboardInterrupt
        self.calls -= 1
        self.seen += texts
        return super().embed(texts)


def alone(text: str) -> Embeddings:
    """Return what the network makes of one text in no batch."""
    labels = ("a", "b", "c")
    return np.array(tiny_encoder(labels).logits_of(text), np.float32)


def test_each_text_has_the_embedding_that_it_has_alone(tmp_path: Path) -> None:
    found = EmbeddingStore(tmp_path / "e").embeddings(TEXTS, Counting(), progress=Progress(quiet=True))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.stack([alone(text) for text in TEXTS]), atol=1e-5)


def test_a_text_is_embedded_once_and_found_again_in_any_order(tmp_path: Path) -> None:
    first, second, progress = Counting(), Counting(), Progress(quiet=True)
    found = EmbeddingStore(tmp_path).embeddings(TEXTS, first, progress=progress)
    assert sorted(first.seen) == sorted(set(TEXTS))
    again = EmbeddingStore(tmp_path).embeddings(["new", *TEXTS[::-1]], second, progress=progress)
    assert second.seen == ["new"]
    np.testing.assert_array_equal(again[1:], found[::-1])
    assert progress.lines == [f"  7 of 9 texts have embeddings in {tmp_path}"]


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "PART", 2)
    first, second = Counting(calls=2), Counting()
    with pytest.raises(KeyboardInterrupt):
        EmbeddingStore(tmp_path).embeddings(TEXTS, first, progress=Progress(quiet=True))
    found = EmbeddingStore(tmp_path).embeddings(TEXTS, second, progress=Progress(quiet=True))
    assert (len(first.seen), sorted(first.seen + second.seen)) == (4, sorted(set(TEXTS)))
    np.testing.assert_allclose(found, np.stack([alone(text) for text in TEXTS]), atol=1e-5)
    assert not list(tmp_path.glob("*.tmp"))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    EmbeddingStore(tmp_path).embeddings(TEXTS, Counting(), progress=Progress(quiet=True))
    [path] = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match=path.name):
        EmbeddingStore(tmp_path).embeddings(TEXTS, Counting(), progress=Progress(quiet=True))


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    embeddings.write_tensors(tmp_path / "x.safetensors", {"keys": np.zeros((1, 16), np.uint8)})
    with pytest.raises(ArtifactError, match=r"x\.safetensors holds no embeddings"):
        EmbeddingStore(tmp_path).embeddings(TEXTS, Counting(), progress=Progress(quiet=True))
