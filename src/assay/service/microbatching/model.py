"""A costly model as a service asks it: from the cache, or from the queue of its micro-batches."""

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assay.service.microbatching.batcher import Batcher, Pace
from assay.service.microbatching.cache import DecisionCache, key_of
from assay.service.microbatching.counts import BatchSink
from assay.service.microbatching.ticket import Logits, Row

if TYPE_CHECKING:
    from assay.estimators import EncoderModel, EncoderSpec, Floats, Link, Occlusions


class NotAtHand(Exception):
    """The logits of a text are not in the cache of this process, so that its model would be waited for."""


class MicroBatchedModel:
    """An encoder that answers what waits together; it has the logits that the encoder gives.

    Asked as it is, it is patient and looks into no cache: golden decisions are to be of the model itself, and
    a full queue refuses no version. Requests ask ``asked`` and ``at_hand`` of it. Its threads end, and the
    encoder's memory is free, when nobody holds it any more and what waited is answered: a version that is
    swapped out answers all that came to it.

    Parameters
    ----------
    model
        The encoder.
    digest
        The identity of the artifact that it is from.
    pace
        How texts are put together.
    cache
        Where its logits are kept; nowhere when left out.
    """

    costly = True

    def __init__(
        self,
        model: "EncoderModel",
        digest: str,
        pace: Pace,
        told: BatchSink,
        cache: DecisionCache | None = None,
    ) -> None:
        self.model, self.cache, self._digest = model, cache, digest
        self.batcher = Batcher(model.logits_of_ids, pace, told, name=digest[:8])
        # The threads hold the batcher and the encoder, not this object: it goes when its last user does.
        weakref.finalize(self, self.batcher.close)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the columns of probabilities."""
        return self.model.labels

    @property
    def link(self) -> "Link":
        """What turns the logits into probabilities."""
        return self.model.link

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the evidence rules: an encoder has none."""
        return self.model.rules

    @property
    def evidence(self) -> None:
        """The weights of those rules: there are none."""
        return None

    @property
    def spec(self) -> "EncoderSpec":
        """What the encoder is made of."""
        return self.model.spec

    @property
    def tolerance(self) -> float:
        """How far a score may be from the recorded one on another machine."""
        return self.model.tolerance

    def write(self, folder: Path) -> None:
        """Write the network and the tokenizer into a folder."""
        self.model.write(folder)

    def logits(self, texts: Sequence[str], evidence: NDArray[np.bool_] | None = None) -> "Floats":
        """Return the logits of each text, shape (texts, logits), computed now; blocks as long as it takes."""
        del evidence
        rows = self.model.tokens.ids(texts)
        return self._array(self.batcher.answer(rows, patient=True))

    def logits_of(self, text: str, evidence: Sequence[int] = ()) -> Logits:
        """Return one text's logits, computed now; blocks for as long as it takes."""
        del evidence
        return self.batcher.answer(self.model.tokens.ids([text]), patient=True)[0]

    def occlusions(self, text: str, *, deadline: float | None = None, patient: bool = True) -> "Occlusions":
        """Return what each word of a text does to each logit (``EncoderModel.occlusions``); blocks."""
        from assay.estimators import occlusions_of

        def answered(rows: Sequence[Row]) -> "Floats":
            return self._array(self.batcher.answer(rows, deadline=deadline, patient=patient))

        return occlusions_of(self.model.tokens, answered, text)

    def known(self, text: str) -> Logits | None:
        """Return a text's logits where they are in the cache of this process."""
        return None if self.cache is None else self.cache.at_hand(key_of(self._digest, text))

    def found(self, texts: Sequence[str], *, deadline: float | None, patient: bool) -> list[Logits]:
        """Return the logits of each text, from the cache where it has them; blocks, raises as ``Batcher``."""
        if self.cache is None:
            return self.batcher.answer(self.model.tokens.ids(texts), deadline=deadline, patient=patient)
        keys = [key_of(self._digest, text) for text in texts]
        known = dict(zip(keys, self.cache.find(keys, self.spec.logits), strict=True))
        # Texts that are the same are computed once.
        missing = {key: text for key, text in zip(keys, texts, strict=True) if known[key] is None}
        if missing:
            rows = self.model.tokens.ids(list(missing.values()))
            computed = self.batcher.answer(rows, deadline=deadline, patient=patient)
            fresh = dict(zip(missing, computed, strict=True))
            self.cache.keep(fresh)
            known.update(fresh)
        return [known[key] or () for key in keys]

    def _array(self, logits: Sequence[Logits]) -> "Floats":
        return np.array(logits, np.float64).reshape(len(logits), self.spec.logits)


class _View:
    """A micro-batched model, asked in another way."""

    costly = True
    evidence = None

    def __init__(self, model: MicroBatchedModel) -> None:
        self._model = model
        self.labels, self.link, self.rules = model.labels, model.link, model.rules
        self.spec, self.tolerance = model.spec, model.tolerance

    def write(self, folder: Path) -> None:
        """Write the network and the tokenizer into a folder."""
        self._model.write(folder)


class AskedModel(_View):
    """The model as one request asks it: the cache first, then the queue, until a deadline.

    Parameters
    ----------
    deadline
        When the request's time is up, on the monotonic clock; None: never.
    patient
        Whether it is taken however long the queue is.
    """

    def __init__(self, model: MicroBatchedModel, *, deadline: float | None, patient: bool = False) -> None:
        super().__init__(model)
        self._deadline, self._patient = deadline, patient

    def logits(self, texts: Sequence[str], evidence: NDArray[np.bool_] | None = None) -> "Floats":
        """Return the logits of each text, shape (texts, logits); blocks."""
        del evidence
        found = self._model.found(texts, deadline=self._deadline, patient=self._patient)
        return np.array(found, np.float64).reshape(len(texts), self.spec.logits)

    def logits_of(self, text: str, evidence: Sequence[int] = ()) -> Logits:
        """Return one text's logits; blocks."""
        del evidence
        return self._model.found([text], deadline=self._deadline, patient=self._patient)[0]

    def occlusions(self, text: str) -> "Occlusions":
        """Return what each word of a text does to each logit; blocks."""
        return self._model.occlusions(text, deadline=self._deadline, patient=self._patient)


class AtHandModel(_View):
    """The model as an event loop may ask it: what is in the cache of this process, and nothing else."""

    def logits(self, texts: Sequence[str], evidence: NDArray[np.bool_] | None = None) -> "Floats":
        """Return the logits of each text, shape (texts, logits); raises NotAtHand."""
        del evidence
        return np.array([self.logits_of(text) for text in texts]).reshape(len(texts), self.spec.logits)

    def logits_of(self, text: str, evidence: Sequence[int] = ()) -> Logits:
        """Return one text's logits; raises NotAtHand."""
        del evidence
        found = self._model.known(text)
        if found is None:
            raise NotAtHand
        return found
