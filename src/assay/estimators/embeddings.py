"""Embeddings of texts by a frozen encoder, kept on disk as they are made."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.estimators.encoder import Runtime, Sessions, Tokens
from assay.estimators.held_out import keys_of
from assay.estimators.tensors import map_tensors, write_tensors
from assay.exceptions import ArtifactError
from assay.progress import Progress

Embeddings = NDArray[np.float32]
PART = 500
"""Texts whose embeddings are written at once; an interruption loses fewer."""


class Embedder:
    """A network that embeds texts (``export_encoder``), and what cuts them into tokens."""

    def __init__(self, network: bytes, tokens: Tokens) -> None:
        self._tokens = tokens
        self._sessions = Sessions(network, Runtime(sessions=len(os.sched_getaffinity(0))))

    def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return each text's embedding, shape (texts, hidden); there must be texts."""
        return self._sessions.run_rows(self._tokens.ids(texts), self._tokens.pad)


class EmbeddingStore:
    """A folder of embeddings by one encoder, found again by the exact text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def embeddings(self, texts: Sequence[str], embedder: Embedder, *, progress: Progress) -> Embeddings:
        """Return each text's embedding, shape (texts, hidden), made where the folder has none yet.

        Raises ArtifactError, naming the file, for one that is damaged.
        """
        keys = [key.tobytes() for key in keys_of(texts)]
        known = self._read()
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if kept := len(set(keys)) - len(missing):
            progress.say(f"  {kept:,} of {len(texts):,} texts have embeddings in {self._folder}")
        with progress.bar("embed", len(missing)) as bar:
            # Neighbours in length come into one batch; characters tell of tokens well enough.
            left = sorted(missing, key=lambda key: len(missing[key]))
            for start in range(0, len(left), PART):
                part = left[start : start + PART]
                values = embedder.embed([missing[key] for key in part])
                self._write(part, values)
                known |= dict(zip(part, values, strict=True))
                bar.advance(len(part))
        return np.stack([known[key] for key in keys])

    def _read(self) -> dict[bytes, Embeddings]:
        known: dict[bytes, Embeddings] = {}
        for path in sorted(self._folder.glob("*.safetensors")):
            arrays = map_tensors(path)
            if set(arrays) != {"keys", "embeddings"} or len(arrays["keys"]) != len(arrays["embeddings"]):
                raise ArtifactError(
                    f"{path} holds no embeddings of texts; remove it, and they are made anew.", path=path
                )
            rows = np.array(arrays["embeddings"])
            known |= {key.tobytes(): row for key, row in zip(arrays["keys"], rows, strict=True)}
        return known

    def _write(self, keys: Sequence[bytes], values: Embeddings) -> None:
        """Write a part under its final name only once it is whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # Named by what it holds: runs side by side write the same file, or different ones.
        name = hashlib.blake2b(b"".join(keys), digest_size=8).hexdigest()
        unfinished = self._folder / f"{name}.{os.getpid()}.tmp"
        stacked = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), -1)
        write_tensors(unfinished, {"keys": stacked, "embeddings": values})
        unfinished.replace(self._folder / f"{name}.safetensors")
