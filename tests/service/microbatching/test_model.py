"""A micro-batched encoder is a model like the encoder itself, in whichever way it is asked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.estimators import Cascade, Runtime
from assay.service import Batching, Pace, open_cache
from assay.service.microbatching import MicroBatchedModel, NotAtHand, Uncounted, asked, at_hand, patient
from tests.encoded import encoder_cascade
from tests.encoders import LINES, tiny_encoder


@pytest.fixture(
    params=[("negative", "positive"), ("bad", "so-so", "good")], ids=["two labels", "three labels"]
)
def plain(request: pytest.FixtureRequest) -> Cascade:
    """A cascade whose encoder is asked as it is."""
    return encoder_cascade(labels=request.param)


@pytest.fixture
def batched(plain: Cascade) -> Iterator[Cascade]:
    """The same cascade behind a queue, with a cache."""
    batching = Batching(pace=Pace(wait_ms=0.0), cache=open_cache(100, "", Uncounted()))
    return batching.over(plain)


def model_of(cascade: Cascade) -> MicroBatchedModel:
    """Return the model of a cascade behind a queue."""
    assert isinstance(cascade.model, MicroBatchedModel)
    return cascade.model


def test_it_gives_the_logits_of_the_encoder(plain: Cascade, batched: Cascade) -> None:
    expected = plain.model.logits(LINES)
    views = (batched, asked(batched, 60.0), patient(batched), at_hand(batched))
    for view in views:
        assert view is not None
        assert np.allclose(view.model.logits(LINES), expected, atol=1e-5)
        assert np.allclose(view.model.logits_of(LINES[1]), expected[1], atol=1e-5)
        assert view.model.logits([]).shape == (0, expected.shape[1])


def test_it_describes_itself_as_the_encoder_does(plain: Cascade, batched: Cascade, tmp_path: Path) -> None:
    for at, view in enumerate((batched, asked(batched, 60.0), at_hand(batched))):
        assert view is not None
        model, encoder = view.model, plain.model
        for name in ("labels", "link", "rules", "evidence", "spec", "tolerance", "costly"):
            assert getattr(model, name) == getattr(encoder, name)
        folder = tmp_path / str(at)
        folder.mkdir()
        model.write(folder)
        assert {path.name for path in folder.iterdir()} == {"model.onnx", "tokenizer.json"}


def test_what_is_not_in_the_cache_is_not_at_hand(batched: Cascade) -> None:
    quick = at_hand(batched)
    assert quick is not None
    with pytest.raises(NotAtHand):
        quick.decide([LINES[0]])
    asked(batched, 60.0).decide([LINES[0]])
    assert quick.decide([LINES[0]])[0].label == batched.decide([LINES[0]])[0].label
    with pytest.raises(NotAtHand):
        quick.decide(LINES)


def test_golden_decisions_are_of_the_model_and_not_of_the_cache(batched: Cascade) -> None:
    model = model_of(batched)
    batched.decide([LINES[0]])
    assert model.known(LINES[0]) is None


def test_a_text_that_comes_twice_in_a_request_is_computed_once(batched: Cascade) -> None:
    decisions = asked(batched, 60.0).decide([LINES[0], LINES[1], LINES[0]])
    assert (decisions[0].label, decisions[0].score) == (decisions[2].label, decisions[2].score)
    model = model_of(batched)
    assert model.cache is not None
    assert model.cache.state()["entries"] == 2


def test_an_explanation_goes_through_the_queue_and_is_that_of_the_encoder(
    plain: Cascade, batched: Cascade
) -> None:
    expected, found = (
        cascade.decide([LINES[1]], explain=True)[0].explanation for cascade in (plain, asked(batched, 60.0))
    )
    assert found is not None
    assert expected is not None
    assert {each.text for each in found.ngrams} == {each.text for each in expected.ngrams}
    assert found.logit == pytest.approx(expected.logit, abs=1e-5)


def test_a_linear_model_stays_as_it_is(spam_cascade: Cascade) -> None:
    assert Batching().over(spam_cascade) is spam_cascade
    assert at_hand(spam_cascade) is None
    assert asked(spam_cascade, 1.0) is spam_cascade
    assert patient(spam_cascade) is spam_cascade


def test_rows_of_int8_run_one_by_one() -> None:
    encoder = tiny_encoder(("negative", "positive"), precision="int8", runtime=Runtime(sessions=2, threads=1))
    cascade = encoder_cascade(model=encoder)
    batched = replace(Batching(pace=Pace(batch_tokens=4_096)).over(cascade))
    alone = [cascade.model.logits_of(text) for text in LINES]
    assert [tuple(row) for row in batched.model.logits(LINES).tolist()] == alone
    assert model_of(batched).batcher._pace == Pace(sessions=2, batch_tokens=1)
