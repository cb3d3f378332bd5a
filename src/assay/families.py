"""The families of estimators: which models a task can ask for, and how each is fitted."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from assay.frozen import Frozen

FAMILIES = ("tfidf", "transformer", "embedding")
Truncation = Literal["head+tail", "head"]
NgramRange = tuple[Annotated[int, Field(ge=1, le=10)], Annotated[int, Field(ge=1, le=10)]]


class TfidfConfig(Frozen):
    """A linear model over word and character n-grams and how it is fitted."""

    family: Literal["tfidf"] = "tfidf"
    weighting: Literal["idf", "nb"] = "idf"
    """``nb``: binary counts times the log-count ratio of Wang and Manning (2012)."""
    tokens: Literal["words", "words-and-punctuation"] = "words"
    word_ngrams: NgramRange = (1, 2)
    char_ngrams: NgramRange | None = None
    """Character n-grams inside word bounds, beside the words; none by default."""
    min_df: int = Field(2, ge=1)
    sublinear_tf: bool = True
    C: float = Field(10.0, gt=0)
    class_weight: Literal["none", "balanced"] = "none"
    max_iter: int = Field(1000, ge=1)
    alpha: float = Field(1.0, gt=0)
    """Smoothing of the log-count ratio; used by ``nb`` only."""
    seed: int = 0

    @model_validator(mode="after")
    def _ranges_rise(self) -> Self:
        for key in ("word_ngrams", "char_ngrams"):
            bounds = getattr(self, key)
            if bounds and bounds[0] > bounds[1]:
                raise ValueError(f"{key} must rise, like [1, 2]; got {list(bounds)}")
        return self


class EncoderConfig(Frozen):
    """What the families that read a text with a Hugging Face encoder have in common."""

    base: str = Field("distilbert-base-uncased", min_length=1)
    """The encoder to begin with: a name on the hub, or a folder of this machine."""
    max_tokens: int = Field(256, ge=8, le=8192)
    """What of a text is read, in tokens; the special ones count."""
    truncation: Truncation = "head+tail"
    """``head+tail``: of a longer text the first quarter of that, and its end (Sun et al., 2019)."""
    quantize: Literal["none", "int8"] = "none"
    """``int8``: the weights in 8 bits; answers in less time, and the report says what it cost."""
    seed: int = Field(0, ge=0, lt=2**32)


class TransformerConfig(EncoderConfig):
    """An encoder and a classifier on it, fine-tuned together."""

    family: Literal["transformer"]
    epochs: int = Field(3, ge=1, le=100)
    """Times that all rows are read, at most; the epoch with the best F1 on the validation rows is kept."""
    patience: int = Field(1, ge=0)
    """Epochs without a better F1 before the training stops; 0: it never stops early."""
    batch_size: int = Field(32, ge=1)
    """Rows for each change of the weights."""
    rows_at_once: int = Field(16, ge=1)
    """Rows computed at once, at most; gradients of several are added up to a batch. Halved where memory
    does not suffice."""
    learning_rate: float = Field(5e-5, gt=0, lt=1)
    """The highest rate; it rises over the warm-up and falls to 0 at the end."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the batches over which the rate rises."""
    weight_decay: float = Field(0.01, ge=0)
    precision: Literal["auto", "fp32"] = "auto"
    """``auto``: mixed precision where there is a GPU for it."""
    max_rows: int | None = Field(None, ge=2)
    """Training rows that are used, at most, the same share of each label; all of them when left out."""


class EmbeddingConfig(EncoderConfig):
    """A frozen encoder, the mean of its last layer as features, and logistic regression on them."""

    family: Literal["embedding"]
    C: float = Field(10.0, gt=0)
    class_weight: Literal["none", "balanced"] = "none"
    max_iter: int = Field(1000, ge=1)


def _family_of(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return getattr(value, "family", None)
    family = value.get("family", "tfidf")
    return family if isinstance(family, str) else None


EstimatorConfig = Annotated[
    Annotated[TfidfConfig, Tag("tfidf")]
    | Annotated[TransformerConfig, Tag("transformer")]
    | Annotated[EmbeddingConfig, Tag("embedding")],
    Discriminator(
        _family_of,
        custom_error_type="family",
        custom_error_message="there is no such family; families are 'tfidf', 'transformer' and 'embedding'",
    ),
]
"""One of the families, told apart by the key ``family``; ``tfidf`` where it is left out."""
