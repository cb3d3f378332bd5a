"""A transformer encoder with its tokenizer: texts to logits."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.estimators.encoder.batches import padded
from assay.estimators.encoder.network import check_network
from assay.estimators.encoder.occlusion import Occlusions, occlusions_of
from assay.estimators.encoder.sessions import Runtime, Sessions
from assay.estimators.encoder.spec import EncoderSpec
from assay.estimators.encoder.tokens import Tokens
from assay.estimators.linear import EvidenceWeights, Floats, Link
from assay.exceptions import ArtifactError

NETWORK = "model.onnx"
TOKENIZER = "tokenizer.json"
CLOSE = 1e-4
"""How much padding may move a logit of the network that is tried out, absolutely and relatively."""


class EncoderModel:
    """A network and its tokenizer, ready to answer; any number of threads may ask at once.

    ``network`` and ``tokenizer`` are the bytes of ``model.onnx`` and ``tokenizer.json``. Raises ArtifactError
    for files that are damaged, refused or do not fit each other, MissingExtra without the libraries.
    """

    costly = True
    """A text takes milliseconds: never to be asked on an event loop."""
    evidence: EvidenceWeights | None = None
    rules: tuple[str, ...] = ()
    """An encoder has no rules among its features."""

    def __init__(
        self, spec: EncoderSpec, network: bytes, tokenizer: bytes, *, runtime: Runtime | None = None
    ) -> None:
        check_network(network)
        self.spec = spec
        self.tokens = Tokens(tokenizer, max_tokens=spec.max_tokens, truncation=spec.truncation)
        self.sessions = Sessions(network, runtime or Runtime(sessions=len(os.sched_getaffinity(0))))
        self._files = {NETWORK: network, TOKENIZER: tokenizer}
        self._try_out()

    @property
    def network(self) -> bytes:
        """The content of model.onnx."""
        return self._files[NETWORK]

    @property
    def tokenizer(self) -> bytes:
        """The content of tokenizer.json."""
        return self._files[TOKENIZER]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the columns of probabilities."""
        return self.spec.labels

    @property
    def link(self) -> Link:
        """What turns the logits into probabilities."""
        return self.spec.link

    @property
    def tolerance(self) -> float:
        """How far a score may be from the recorded one on another machine."""
        return self.spec.tolerance

    def logits(self, texts: Sequence[str], evidence: NDArray[np.bool_] | None = None) -> Floats:
        """Return the logits of each text, shape (texts, logits); a text's do not depend on the others.

        ``evidence`` is that of no rules, shape (texts, 0), or None. Raises ValueError for another shape.
        """
        if evidence is not None and evidence.shape != (len(texts), 0):
            raise ValueError(f"An encoder has no evidence rules; evidence has the shape {evidence.shape}.")
        return self.logits_of_ids(self.tokens.ids(texts))

    def logits_of(self, text: str, evidence: Sequence[int] = ()) -> tuple[float, ...]:
        """Return one text's logits. Raises ValueError for the number of an evidence rule: it has none."""
        if evidence:
            raise ValueError(f"An encoder has no evidence rules; got {list(evidence)}.")
        return tuple(self.logits([text])[0].tolist())

    def logits_of_ids(self, rows: Sequence[Sequence[int]]) -> Floats:
        """Return the logits of rows of token ids as ``tokens`` gives them, shape (rows, logits).

        Rows run in batches of neighbours in length. In int8 each runs by itself: what is rounded to whole
        numbers on the way may turn with the least difference.
        """
        if not rows:
            return np.empty((0, self.spec.logits))
        alone = 1 if self.spec.precision == "int8" else None
        return self.sessions.run_rows(rows, self.tokens.pad, budget=alone).astype(np.float64)

    def occlusions(self, text: str) -> Occlusions:
        """Return what the words of a text do to the logits; the network runs for each of them."""
        return occlusions_of(self.tokens, self.logits_of_ids, text)

    def _try_out(self) -> None:
        """Run the longest text of the vocabulary's last entry, and one token beside it.

        Raises ArtifactError where the network fails, or gives no such logits as it should.
        """
        last, pad = self.tokens.size - 1, self.tokens.pad
        whole, one = [last] * self.spec.max_tokens, [last]
        try:
            tried = (whole, one, one, [0])
            longest, alone, again, other = (self.sessions.run(*padded([row], pad)) for row in tried)
            beside = self.sessions.run(*padded([whole, one], pad))
        except Exception as error:
            raise ArtifactError(
                f"model.onnx does not run with {len(whole)} tokens, of ids up to {last}, which the tokenizer "
                f"and max_tokens ask for: it is another tokenizer's, or has fewer positions: {error}"
            ) from error
        for found, rows in ((longest, 1), (alone, 1), (beside, 2)):
            if found.shape != (rows, self.spec.logits):
                raise ArtifactError(
                    f"model.onnx gives logits of shape {found.shape} for {rows} texts; the labels "
                    f"{list(self.labels)} want {(rows, self.spec.logits)}."
                )
            if not np.isfinite(found).all():
                raise ArtifactError(f"model.onnx gives logits that are not finite: {found.tolist()}.")
        if last and np.array_equal(alone, other):
            raise ArtifactError("model.onnx gives every text the same logits: it does not read the ids.")
        if not np.allclose(alone, again, rtol=CLOSE, atol=CLOSE):
            raise ArtifactError("model.onnx gives the same text other logits each time.")
        # Texts run by themselves where the batch sets the scales of int8.
        if self.spec.precision == "fp32" and not np.allclose(beside[1], alone[0], rtol=CLOSE, atol=CLOSE):
            raise ArtifactError(
                f"model.onnx does not mask padding: a text has the logits {alone[0].tolist()} alone, and "
                f"{beside[1].tolist()} beside a longer one."
            )

    def write(self, folder: Path) -> None:
        """Write the network and the tokenizer into a folder, the same bytes as were given."""
        for name, data in self._files.items():
            (folder / name).write_bytes(data)
