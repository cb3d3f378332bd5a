"""What an encoder is made of, beside its network and its tokenizer."""

from typing import Literal, Self

from pydantic import Field, model_validator

from assay.estimators.linear import Link
from assay.families import Truncation
from assay.frozen import Frozen

Precision = Literal["fp32", "int8"]

MOST_TOKENS = 100_000
"""No encoder takes as many; a larger number is a mistake in the file."""


class EncoderSpec(Frozen):
    """What an encoder is made of, beside its network and its tokenizer.

    ``link`` turns the logits into probabilities: ``sigmoid`` for two labels (one logit: that of the second
    label), ``softmax`` for more (a logit a label). ``max_tokens`` is the most that the network sees of a
    text, its special tokens included; ``tolerance`` is how far a score may be from the recorded one.
    """

    kind: Literal["encoder"] = "encoder"
    link: Link
    labels: tuple[str, ...]
    max_tokens: int = Field(ge=3, le=MOST_TOKENS)
    truncation: Truncation = "head+tail"
    precision: Precision = "fp32"
    tolerance: float = Field(default=1e-4, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _link_fits(self) -> Self:
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels must be two or more that differ; got {list(self.labels)}")
        wanted = "sigmoid" if len(self.labels) == 2 else "softmax"
        if self.link != wanted:
            raise ValueError(f"with {len(self.labels)} labels the link is {wanted!r}, not {self.link!r}")
        return self

    @property
    def rules(self) -> tuple[str, ...]:
        """The evidence rules that are features: an encoder has none."""
        return ()

    @property
    def logits(self) -> int:
        """How many logits the network gives for a text."""
        return 1 if self.link == "sigmoid" else len(self.labels)
