"""Fitted scikit-learn text classifiers to linear models with the same probabilities."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from assay.config import faults
from assay.estimators.linear import Block, EvidenceWeights, Floats, LinearModel, Link
from assay.estimators.ngrams import TOKEN_PATTERNS, NgramSpec
from assay.estimators.vocabulary import Vocabulary
from assay.exceptions import ConversionError, MissingExtra

_pattern_names = {pattern: name for name, pattern in TOKEN_PATTERNS.items()} | {
    r"\b\w\w+\b": "words",
    r"(?u)\b\w+\b": "all-words",
    r"\b\w+\b": "all-words",
    r"(?u)\w+": "all-words",
    r"\w+": "all-words",
}


class Counted(NamedTuple):
    """One vectoriser of a pipeline: its n-grams in column order, their scale, and its weight in a union."""

    spec: NgramSpec
    grams: list[str]
    scale: Floats | None
    weight: float = 1.0


def load_pipeline(path: Path) -> Any:
    """Return what a joblib file holds; code in the file is run. Raises ConversionError."""
    try:
        import joblib
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtra("Importing a scikit-learn model", package="scikit-learn", extra="train") from error
    try:
        return joblib.load(path)
    except FileNotFoundError as error:
        raise ConversionError(f"There is no file {str(path)!r}.", path=path) from error
    except Exception as error:  # unpickling raises whatever the file's classes raise
        raise ConversionError(f"{path} could not be loaded as a joblib file: {error!r}", path=path) from error


def convert_pipeline(pipeline: Any, labels: Sequence[str], names: Mapping[str, str]) -> LinearModel:
    """Return the linear model of a fitted pipeline of n-gram vectorisers and a linear classifier.

    ``labels`` orders the result's labels; ``names`` maps the pipeline's classes, as text, to them.
    Raises ConversionError for a step that has no linear form here, or that was not fitted.
    """
    *before, classifier = _steps(pipeline)
    coef, intercept, link = _weights(classifier)
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        raise ConversionError(
            f"The weights of {classifier!r} are not all finite; fit it anew, with smoothing above 0."
        )
    classes = [names.get(str(c), str(c)) for c in classifier.classes_]
    if sorted(classes) != sorted(labels):
        raise ConversionError(
            f"The model's classes {classes} are not the labels {list(labels)}; "
            "map them with --labels 0=ham,1=spam.",
            classes=classes,
        )
    coef, intercept = arrange(coef, intercept, classes, labels)
    return assemble(labels, link, count_steps(before), coef, intercept)


def arrange(
    coef: Floats, intercept: Floats, classes: Sequence[str], labels: Sequence[str]
) -> tuple[Floats, Floats]:
    """Return coefficients (logits, features) and intercepts (logits,) of classes in the order of labels."""
    columns = [classes.index(label) for label in labels]
    if len(coef) == 1:
        # One logit speaks for the second class: the other order of the two labels is the other sign.
        sign = 1.0 if columns == [0, 1] else -1.0
        return coef * sign, intercept * sign
    return coef[columns], intercept[columns]


def _steps(pipeline: Any) -> list[Any]:
    """Return the steps of a fitted pipeline that do something: at least a vectoriser and a classifier."""
    from sklearn.exceptions import NotFittedError
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import check_is_fitted

    steps = _acting(pipeline) if isinstance(pipeline, Pipeline) else []
    if len(steps) < 2:
        raise ConversionError(
            f"A pipeline of a vectoriser and a classifier is needed; got {pipeline!r:.200}.",
            type=type(pipeline).__name__,
        )
    try:
        check_is_fitted(steps[-1])
    except (NotFittedError, TypeError) as error:
        raise ConversionError(f"The pipeline was not fitted: {error}") from error
    return steps


def _acting(pipeline: Any) -> list[Any]:
    return [step for _, step in pipeline.steps if step is not None and step != "passthrough"]


def assemble(
    labels: Sequence[str],
    link: Link,
    counted: Sequence[Counted],
    coef: Floats,
    intercept: Floats,
    rules: Sequence[str] = (),
) -> LinearModel:
    """Return the linear model of counted n-grams, evidence rules and weights.

    ``coef`` has shape (logits, features), ``intercept`` (logits,), both in the order of ``labels``. The last
    features are the hits of ``rules``.
    """
    blocks, at = [], 0
    for part in counted:
        vocabulary, order = Vocabulary.build(part.grams)
        weights = coef[:, at : at + len(part.grams)].T[order] * part.weight
        at += len(part.grams)
        scale = None if part.scale is None else part.scale[order]
        blocks.append(Block(part.spec, vocabulary, scale, np.ascontiguousarray(weights, np.float64)))
    evidence = EvidenceWeights(tuple(rules), np.ascontiguousarray(coef[:, at:].T)) if rules else None
    return LinearModel(labels, link, blocks, np.array(intercept, np.float64).reshape(-1), evidence)


def count_steps(transformers: Sequence[Any]) -> list[Counted]:
    """Return the vectorisers of the steps before the classifier, unions and nested pipelines unfolded."""
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
    from sklearn.pipeline import FeatureUnion, Pipeline

    first, *rest = transformers or [None]
    if isinstance(first, Pipeline):
        return count_steps(_acting(first) + rest)
    if isinstance(first, FeatureUnion) and not rest:
        weights = first.transformer_weights or {}
        return [
            part._replace(weight=part.weight * weights.get(name, 1.0))
            for name, transformer in first.transformer_list
            if transformer != "drop"
            for part in count_steps([transformer])
        ]
    # A subclass may count in another way.
    if type(first) in (CountVectorizer, TfidfVectorizer):
        weighting = getattr(first, "_tfidf", None)
        if rest and isinstance(rest[0], TfidfTransformer) and weighting is None:
            weighting, rest = rest[0], rest[1:]
        if not rest:
            return [_block(first, weighting)]
    steps = [type(step).__name__ for step in transformers]
    raise ConversionError(
        f"The steps {steps} have no n-gram form here. Allowed before the classifier: TfidfVectorizer, "
        "CountVectorizer with or without TfidfTransformer, and a FeatureUnion of these.",
        steps=steps,
    )


def _block(vectoriser: Any, weighting: Any) -> Counted:
    sublinear = bool(weighting is not None and weighting.sublinear_tf)
    try:
        spec = NgramSpec(
            analyzer=_analyzer(vectoriser),
            ngrams=tuple(vectoriser.ngram_range),
            lowercase=vectoriser.lowercase,
            strip_accents=vectoriser.strip_accents or "none",
            stop_words=tuple(sorted(vectoriser.get_stop_words() or ())),
            tf="binary" if vectoriser.binary else "log" if sublinear else "count",
            norm=(weighting.norm or "none") if weighting is not None else "none",
        )
        grams = sorted(vectoriser.vocabulary_, key=vectoriser.vocabulary_.__getitem__)
        "".join(grams).encode()
        idf = weighting.idf_ if weighting is not None and weighting.use_idf else None
    except ValidationError as error:
        raise ConversionError(f"The vectoriser has no form here:\n{faults(error)}") from error
    except UnicodeEncodeError as error:
        raise ConversionError("The vocabulary has lone surrogates, which no valid text holds.") from error
    except AttributeError as error:
        raise ConversionError(f"The pipeline was not fitted: {error}") from error
    return Counted(spec, grams, None if idf is None else np.asarray(idf, np.float64))


def _analyzer(vectoriser: Any) -> Any:
    """Return the name of how a vectoriser cuts a text."""
    if callable(vectoriser.analyzer) or vectoriser.tokenizer or vectoriser.preprocessor:
        raise ConversionError(
            "A vectoriser with a function of its own (analyzer, tokenizer, preprocessor) has no safe form."
        )
    if vectoriser.input != "content" or callable(vectoriser.strip_accents):
        raise ConversionError(
            "Only a vectoriser of texts (input='content'), without a function for accents, has a form here."
        )
    if vectoriser.analyzer != "word":
        return vectoriser.analyzer
    if vectoriser.token_pattern not in _pattern_names:
        raise ConversionError(
            f"The token pattern {vectoriser.token_pattern!r} is not known here; "
            f"known are {sorted(_pattern_names)}.",
            pattern=vectoriser.token_pattern,
        )
    return _pattern_names[vectoriser.token_pattern]


def _weights(classifier: Any) -> tuple[Floats, Floats, Link]:
    """Return coefficients (logits, features), intercepts (logits,) and the link of a fitted classifier."""
    from scipy.sparse import issparse
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.naive_bayes import ComplementNB, MultinomialNB

    if isinstance(classifier, MultinomialNB):
        return classifier.feature_log_prob_, classifier.class_log_prior_, "softmax"
    if isinstance(classifier, ComplementNB):
        return classifier.feature_log_prob_, np.zeros(len(classifier.classes_)), "softmax"
    if isinstance(classifier, OneVsRestClassifier):
        parts = [_weights(each) for each in classifier.estimators_]
        if {link for _, _, link in parts} == {"sigmoid"}:
            link: Link = "sigmoid" if len(parts) == 1 else "ovr"
            return np.vstack([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), link
    if isinstance(classifier, LogisticRegression) or (
        isinstance(classifier, SGDClassifier) and classifier.loss == "log_loss"
    ):
        coef = classifier.coef_.toarray() if issparse(classifier.coef_) else classifier.coef_
        # Before scikit-learn 1.8, liblinear and multi_class="ovr" fitted one regression a label.
        kinds = {getattr(classifier, "multi_class", ""), getattr(classifier, "solver", "")}
        softmax = isinstance(classifier, LogisticRegression) and not kinds & {"ovr", "liblinear"}
        many: Link = "softmax" if softmax else "ovr"
        return coef, classifier.intercept_, "sigmoid" if len(coef) == 1 else many
    raise ConversionError(
        f"A {classifier!r} gives no probabilities that can be carried over. Allowed: LogisticRegression, "
        "SGDClassifier(loss='log_loss'), OneVsRestClassifier of these, MultinomialNB, ComplementNB.",
        classifier=type(classifier).__name__,
    )
