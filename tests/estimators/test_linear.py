"""Links, weighting and the checks of stored weights."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from pydantic import ValidationError

from assay.estimators import LinearModel
from assay.estimators.linear import GRAMS_AT_ONCE, EvidenceWeights, LinearSpec, probabilities
from assay.exceptions import ArtifactError
from tests.estimators.made_up import made

pytestmark = pytest.mark.usefixtures("form")
LOGITS = st.floats(-800, 800)


@given(hnp.arrays(np.float64, (3, 1), elements=LOGITS))
def test_sigmoid_neither_overflows_nor_leaves_the_unit_interval(logits: NDArray[np.float64]) -> None:
    rows = probabilities(logits, "sigmoid")
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-logits[:, 0]))
    np.testing.assert_allclose(rows[:, 1], expected, rtol=1e-12, atol=1e-300)
    assert np.array_equal(rows.sum(axis=1), np.ones(3))


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(2, 20)), elements=LOGITS))
def test_many_labels_sum_to_one_whatever_the_link(logits: NDArray[np.float64]) -> None:
    for link in ("softmax", "ovr"):
        rows = probabilities(logits, link)
        assert np.abs(rows.sum(axis=1) - 1).max() < 1e-12
        alone = np.vstack([probabilities(logits[at : at + 1], link) for at in range(len(logits))])
        assert np.array_equal(alone, rows)


def test_softmax_is_the_exponential_over_its_sum() -> None:
    rows = probabilities(np.array([[0.0, np.log(2), np.log(5)]]), "softmax")
    np.testing.assert_allclose(rows, [[1 / 8, 2 / 8, 5 / 8]], rtol=1e-15)


def test_one_against_the_rest_scales_sigmoids_to_one() -> None:
    rows = probabilities(np.array([[0.0, 0.0, np.log(3)]]), "ovr")
    np.testing.assert_allclose(rows, [[2 / 7, 2 / 7, 3 / 7]], rtol=1e-15)


def test_hopeless_labels_share_alike() -> None:
    assert probabilities(np.full((1, 4), -800.0), "ovr").tolist() == [[0.25] * 4]


@pytest.mark.parametrize(
    ("tf", "value"), [("count", 3.0), ("log", 1 + np.log(3)), ("binary", 1.0)], ids=["count", "log", "binary"]
)
def test_counts_become_values(tf: str, value: float) -> None:
    model = made({"free": [1.0], "prize": [10.0]}, tf=tf)
    assert model.logits(["free prize free FREE unknown"]).tolist() == [[value + 10.0]]


@pytest.mark.parametrize(("norm", "length"), [("l2", np.sqrt(5)), ("l1", 3.0), ("none", 1.0)])
def test_norms_scale_a_text_by_its_own_length(norm: str, length: float) -> None:
    model = made({"free": [1.0], "prize": [0.0]}, norm=norm)
    np.testing.assert_allclose(model.logits(["free free prize unknown"]), [[2 / length]], rtol=1e-15)


def test_scales_apply_before_the_norm() -> None:
    model = made({"free": [1.0], "prize": [0.0]}, norm="l1", scale={"free": -3.0, "prize": 1.0})
    assert model.logits(["free prize"]).tolist() == [[-0.75]]


def test_a_text_whose_n_grams_all_have_the_scale_0_is_decided_by_the_intercept() -> None:
    model = made({"free": [1.0]}, norm="l2", scale={"free": 0.0}, intercept=[0.5])
    assert model.logits(["free free"]).tolist() == [[0.5]]


def test_a_text_without_known_n_grams_is_decided_by_the_intercept() -> None:
    model = made({"free": [1.0]}, norm="l2", intercept=[-2.0])
    assert model.logits(["zzz", "!", "free"]).tolist() == [[-2.0], [-2.0], [-1.0]]


def test_blocks_add_up() -> None:
    words, chars = made({"free": [1.0]}), made({"fr": [4.0]}, analyzer="char", ngrams=(2, 2))
    both = LinearModel(words.labels, "sigmoid", words.blocks + chars.blocks, np.array([0.25]))
    assert both.logits(["free", "fry", "lunch"]).tolist() == [[5.25], [4.25], [0.25]]


def test_batches_beyond_one_look_up_keep_each_text_with_its_own_n_grams() -> None:
    words = [f"word{number}" for number in range(GRAMS_AT_ONCE // 2)]
    model = made({word: [float(number)] for number, word in enumerate(words)})
    texts = [" ".join(words), "word7", " ".join(words[:9]), " ".join(words), "zzz", "word8"]
    total = sum(range(len(words)))
    assert model.logits(texts)[:, 0].tolist() == [total, 7, 36, total, 0, 8]


def with_evidence(coef: list[list[float]]) -> LinearModel:
    """Return a model whose rules are shouts, links and so on, as many as there are weights."""
    words = made({"free": [1.0] * len(coef[0])}, link="sigmoid" if len(coef[0]) == 1 else "softmax")
    rules = ("shouts", "links", "sums")[: len(coef)]
    evidence = EvidenceWeights(rules, np.array(coef))
    return LinearModel(words.labels, words.link, words.blocks, words.intercept, evidence)


def test_a_rules_hit_adds_its_weight_to_each_logit() -> None:
    model = with_evidence([[0.5, -2.0], [4.0, 8.0]])
    hits = np.array([[False, False], [True, False], [True, True]])
    found = model.logits(["free", "zzz", "free"], hits)
    assert found.tolist() == [[1.0, 1.0], [0.5, -2.0], [5.5, 7.0]]
    assert np.array_equal(model.predict_proba(["free", "zzz", "free"], hits), probabilities(found, "softmax"))


@given(st.data())
def test_a_texts_evidence_counts_the_same_in_any_batch(data: st.DataObject) -> None:
    weight = st.floats(-50, 50)
    model = with_evidence(data.draw(st.lists(st.tuples(weight, weight, weight), min_size=3, max_size=3)))
    hits = data.draw(hnp.arrays(np.bool_, (7, 3)))
    together = model.logits(["free"] * 7, hits)
    alone = [model.logits(["free"], hits[row : row + 1]) for row in range(7)]
    assert np.array_equal(together, np.vstack(alone))


def test_a_model_without_rules_takes_no_hits_or_none() -> None:
    model = made({"free": [1.0]})
    assert model.rules == ()
    assert model.logits(["free"], np.zeros((1, 0), np.bool_)).tolist() == [[1.0]]
    with pytest.raises(ValueError, match=r"rules are \[\]: evidence must be bool of shape \(1, 0\)"):
        model.logits(["free"], np.zeros((1, 1), np.bool_))


@pytest.mark.parametrize(
    ("hits", "given"),
    [
        (None, "None"),
        (np.zeros((1, 1), np.bool_), r"bool of shape \(1, 1\)"),
        (np.zeros((2, 2), np.bool_), r"bool of shape \(2, 2\)"),
        (np.zeros((1, 2)), r"float64 of shape \(1, 2\)"),
    ],
    ids=["none", "a rule too few", "a text too many", "numbers"],
)
def test_hits_must_be_those_of_the_models_rules(hits: Any, given: str) -> None:
    model = with_evidence([[1.0], [1.0]])
    with pytest.raises(ValueError, match=rf"\['shouts', 'links'\]: .* shape \(1, 2\), not {given}"):
        model.predict_proba(["free"], hits)


def stored() -> tuple[LinearSpec, dict[str, NDArray[Any]]]:
    words = made({"free": [1.0], "prize": [2.0]}, scale={"free": 1.0, "prize": 2.0})
    evidence = EvidenceWeights(("shouts",), np.array([[8.0]]))
    model = LinearModel(words.labels, words.link, words.blocks, words.intercept, evidence)
    return model.spec, model.to_arrays()


def test_stored_weights_make_the_same_model() -> None:
    spec, arrays = stored()
    model = LinearModel.from_arrays(spec, arrays)
    assert model.logits(["free prize", "free"], np.array([[True], [False]])).tolist() == [[13.0], [1.0]]
    assert model.spec == spec


def test_a_spec_from_before_there_was_evidence_has_none() -> None:
    spec, arrays = stored()
    values = spec.model_dump(mode="json")
    del values["evidence"], arrays["evidence.coef"]
    old = LinearSpec.model_validate(values)
    assert LinearModel.from_arrays(old, arrays).logits(["free prize"]).tolist() == [[5.0]]


def test_a_rule_named_twice_is_refused() -> None:
    values = stored()[0].model_dump() | {"evidence": ["shouts", "links", "shouts"]}
    with pytest.raises(ValidationError, match=r"each rule once; got \['shouts', 'links', 'shouts'\]"):
        LinearSpec.model_validate(values)


BROKEN = {
    "not a number": ("0.coef", lambda a: a * np.nan, "'0.coef' hold a value that is not finite"),
    "infinite": ("intercept", lambda a: a + np.inf, "'intercept' hold a value that is not finite"),
    "scale not a number": ("0.scale", lambda a: a * np.nan, "'0.scale' hold a value that is not finite"),
    "a row too few": ("0.coef", lambda a: a[1:], r"'0.coef' must be float64 of shape \(2, 1\)"),
    "a column too many": ("0.coef", lambda a: np.hstack([a, a]), r"it is float64 of shape \(2, 2\)"),
    "float32": ("0.coef", lambda a: a.astype(np.float32), "it is float32 of shape"),
    "two intercepts": ("intercept", lambda a: np.tile(a, 2), "'intercept' must be float64 of shape"),
    "scale too short": ("0.scale", lambda a: a[1:], "'0.scale' must be"),
    "a rule too many": ("evidence.coef", lambda a: np.tile(a, (2, 1)), r"float64 of shape \(1, 1\)"),
    "evidence not a number": ("evidence.coef", lambda a: a * np.nan, "'evidence.coef' hold a value"),
}


@pytest.mark.parametrize(("name", "change", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_weights_that_do_not_fit_are_refused(name: str, change: Any, message: str) -> None:
    spec, arrays = stored()
    with pytest.raises(ArtifactError, match=message):
        LinearModel.from_arrays(spec, arrays | {name: change(arrays[name])})


@pytest.mark.parametrize("name", ["0.coef", "intercept", "evidence.coef"])
def test_missing_weights_are_named(name: str) -> None:
    spec, arrays = stored()
    del arrays[name]
    with pytest.raises(ArtifactError, match=f"'{name}' must be .*; it is missing"):
        LinearModel.from_arrays(spec, arrays)


def test_one_logit_wants_two_labels() -> None:
    spec, arrays = stored()
    three = spec.model_copy(update={"labels": ("a", "b", "c")})
    with pytest.raises(ArtifactError, match="'sigmoid' wants two labels"):
        LinearModel.from_arrays(three, arrays)
