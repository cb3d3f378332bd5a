"""Counting for fitting: the kernel and scikit-learn give the same n-grams and counts."""

import numpy as np
import pytest

from assay.estimators.counting import Counts, count_ngrams, specs_of
from assay.estimators.kernel import compiled
from assay.estimators.ngrams import NgramSpec
from assay.exceptions import DataError
from assay.families import TfidfConfig
from tests.corpus import SPAM_GROUPS, labelled

TEXTS = [*labelled(SPAM_GROUPS, 40)[0], "Ends. With, signs!", "", "É\u0301 \x00 İ"]
SPECS = {
    "words": NgramSpec(analyzer="words", ngrams=(1, 2)),
    "signs": NgramSpec(analyzer="words-and-punctuation", ngrams=(1, 3), tf="log"),
    "binary": NgramSpec(analyzer="words", ngrams=(2, 2), tf="binary"),
    "characters": NgramSpec(analyzer="char_wb", ngrams=(3, 5)),
}


@pytest.fixture(params=["c", "python"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both forms in turn."""
    if request.param == "python":
        monkeypatch.setenv("ASSAY_KERNEL", "python")
    elif compiled("counting") is None:
        pytest.skip("the kernel was not built")
    return request.param


def by_scikit_learn(spec: NgramSpec, min_df: int) -> Counts:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_KERNEL", "python")
        return count_ngrams(spec, TEXTS, min_df)


@pytest.mark.parametrize("min_df", [1, 3])
@pytest.mark.parametrize("name", SPECS)
def test_both_forms_count_the_same(form: str, name: str, min_df: int) -> None:
    found, expected = count_ngrams(SPECS[name], TEXTS, min_df), by_scikit_learn(SPECS[name], min_df)
    assert found.grams == expected.grams == sorted(expected.grams)
    assert found.matrix.shape == expected.matrix.shape == (len(TEXTS), len(found.grams))
    for array in ("indptr", "indices", "data"):
        assert np.array_equal(getattr(found.matrix, array), getattr(expected.matrix, array))
    # liblinear takes no other.
    assert found.matrix.indices.dtype == found.matrix.indptr.dtype == np.int32
    assert (found.matrix.data.max() == 1) == (name == "binary")


def test_texts_without_an_n_gram_are_refused(form: str) -> None:
    with pytest.raises(DataError, match=r"No n-gram is left to learn from .*Lower min_df, now 2, or bring"):
        count_ngrams(SPECS["words"], ["lunch at two", "free prizes"], 2)


def test_a_lone_surrogate_in_an_n_gram_is_refused(form: str) -> None:
    with pytest.raises(DataError, match="lone surrogates"):
        count_ngrams(SPECS["signs"], ["free \ud800 prize"], 1)


def test_a_lone_surrogate_between_words_is_none_of_an_n_gram(form: str) -> None:
    assert count_ngrams(SPECS["words"], ["free\ud800prize"], 1).grams == ["free", "free prize", "prize"]


def test_an_estimator_counts_words_and_then_characters() -> None:
    config = TfidfConfig(char_ngrams=(2, 4), word_ngrams=(1, 1), tokens="words-and-punctuation")
    words, characters = specs_of(config)
    assert (words.analyzer, words.ngrams, words.tf) == ("words-and-punctuation", (1, 1), "log")
    assert (characters.analyzer, characters.ngrams, characters.tf) == ("char_wb", (2, 4), "log")
    assert [spec.tf for spec in specs_of(TfidfConfig(weighting="nb"))] == ["binary"]
    assert [spec.tf for spec in specs_of(TfidfConfig(sublinear_tf=False))] == ["count"]
