"""A joblib file of a scikit-learn pipeline to a linear model, compared before it is believed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from assay.estimators.conversion import convert_pipeline, load_pipeline
from assay.estimators.linear import LinearModel
from assay.estimators.texts import fault_of
from assay.exceptions import ConversionError

TOLERANCE = 1e-9
"""How far a converted model's probability may lie from scikit-learn's."""

FLOAT32_TOLERANCE = 1e-6
"""The same where the pipeline computes in float32."""

PROBES = 200

FORMS = (str, str.upper, str.title)
JOINTS = (" ", ", ", " \t\n", "! ")
ODD = (
    "naïve café, e\u0301clair",
    "Ünïcode İstanbul ǅ ſtraße",
    "日本語 テスト",
    "שלום عالم",
    "👩\u200d👩\u200d👧 ok \U0001f600",
    "nul\x00 and\x1funit",
    "don't <br /> http://a.example/?b=1 #tag @you 1,000.00",
)


def import_pipeline(
    path: Path, labels: Sequence[str] | None, names: Mapping[str, str]
) -> tuple[LinearModel, list[str]]:
    """Return the linear model of a joblib file, and the texts on which both gave the same probabilities.

    Loading runs code from the file: only for files that the caller trusts. Labels default to the model's
    own classes, under their ``names``. The texts are made from the model's own n-grams. Raises
    ConversionError when a probability differs by more than 1e-9 (1e-6 where the pipeline computes in
    float32).
    """
    pipeline = load_pipeline(path)
    classes = [names.get(str(c), str(c)) for c in getattr(pipeline, "classes_", ())]
    model = convert_pipeline(pipeline, labels or classes, names)
    texts = probe_texts(model)
    expected = pipeline.predict_proba(texts)[:, [classes.index(label) for label in model.labels]]
    worst = float(np.abs(model.predict_proba(texts) - expected).max())
    types = {expected.dtype, pipeline[:-1].transform(texts[:1]).dtype}
    allowed = FLOAT32_TOLERANCE if np.dtype(np.float32) in types else TOLERANCE
    if not worst <= allowed:
        raise ConversionError(
            f"The converted model differs from {path} by {worst:.3g} in probability; "
            f"at most {allowed} is allowed. It was not imported.",
            worst=worst,
        )
    return model, texts


def probe_texts(model: LinearModel, count: int = PROBES) -> list[str]:
    """Return texts made of the model's own n-grams, in several forms and joints, and a few odd ones."""
    random = np.random.default_rng(0)
    vocabularies = [block.vocabulary for block in model.blocks]
    texts = list(ODD)
    for number in range(count):
        vocabulary = vocabularies[number % len(vocabularies)]
        picked = random.integers(0, len(vocabulary), size=3 + number % 20)
        grams = [vocabulary.gram(int(feature)).strip() for feature in picked]
        texts.append(FORMS[number % len(FORMS)](JOINTS[number % len(JOINTS)].join(grams)))
    return [text for text in texts if fault_of(text) is None]
