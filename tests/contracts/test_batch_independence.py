"""An encoder's answer does not depend on what else was in its batch."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.estimators.encoder import EncoderModel, Runtime, padded
from assay.estimators.linear import Floats, probabilities
from tests.encoders import LINES, tiny_encoder

CLOSE = 1e-5
LABELS = {2: ("neg", "pos"), 3: ("neg", "neutral", "pos")}
WORDS = " ".join(LINES).split()
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=120).map(" ".join), max_size=12)
"""Texts of one word and texts that are cut, so that some are mostly padding."""
BUDGETS = (1, 100, 256, 4096)


@cache
def encoder(labels: int, precision: str, budget: int, threads: int = 1) -> EncoderModel:
    return tiny_encoder(LABELS[labels], precision=precision, runtime=Runtime(threads=threads, budget=budget))


def alone(model: EncoderModel, texts: Sequence[str]) -> Floats:
    return np.array([model.logits_of(text) for text in texts]).reshape(len(texts), model.spec.logits)


def chosen(model: EncoderModel, logits: Floats) -> list[int]:
    """Return the label of each text, by its number."""
    if model.link == "sigmoid":
        return [int(row[0] > 0) for row in logits]
    return [int(row.argmax()) for row in logits]


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("labels", [2, 3])
@given(texts=TEXTS, threads=st.sampled_from([1, 2]))
@settings(max_examples=25)
def test_fp32_answers_are_the_same_in_every_batch(
    labels: int, budget: int, texts: list[str], threads: int
) -> None:
    model = encoder(labels, "fp32", budget, threads)
    batch, single = model.logits(texts), alone(model, texts)
    np.testing.assert_allclose(batch, single, rtol=CLOSE, atol=CLOSE)
    scores, alone_scores = (probabilities(logits, model.link) for logits in (batch, single))
    np.testing.assert_allclose(scores, alone_scores, rtol=0, atol=CLOSE)
    # A logit this near to the border may fall on either side of it.
    clear = [row for row, logits in enumerate(single) if margin(model, logits) > 2 * CLOSE]
    assert [chosen(model, batch)[row] for row in clear] == [chosen(model, single)[row] for row in clear]


def margin(model: EncoderModel, logits: Floats) -> float:
    """Return how far a text's logits are from another label."""
    if model.link == "sigmoid":
        return abs(float(logits[0]))
    second, first = np.sort(logits)[-2:]
    return float(first - second)


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("labels", [2, 3])
@given(texts=TEXTS)
@settings(max_examples=15)
def test_int8_answers_are_equal_in_every_batch(labels: int, budget: int, texts: list[str]) -> None:
    model = encoder(labels, "int8", budget)
    np.testing.assert_array_equal(model.logits(texts), alone(model, texts))


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@given(texts=TEXTS, data=st.data())
@settings(max_examples=25)
def test_the_order_of_texts_does_not_matter(precision: str, texts: list[str], data: st.DataObject) -> None:
    model = encoder(2, precision, 4096)
    order = data.draw(st.permutations(range(len(texts))))
    moved = model.logits([texts[at] for at in order])
    np.testing.assert_allclose(moved, model.logits(texts)[order], rtol=CLOSE, atol=CLOSE)


def test_int8_run_together_would_break_the_contract() -> None:
    model = encoder(2, "int8", 4096)
    rows = model.tokens.ids(["free prize", "the movie was wonderful " * 20])
    together = model.sessions.run(*padded(rows, model.tokens.pad))
    assert np.abs(together[:, 0] - model.logits_of_ids(rows)[:, 0]).max() > CLOSE
