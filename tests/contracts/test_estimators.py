"""What every family of estimator promises: scikit-learn's answers, in any order, batch or file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.config import MAX_TEXT_BYTES
from assay.estimators import Cascade, load_artifact, save_artifact
from assay.exceptions import TextError
from tests.corpus import ABUSE_GROUPS, HAM, SPAM, labelled
from tests.estimators.families import FAMILIES, Family, Reference, train

DATA = Path(__file__).parents[2].parent / "shared" / "data"
GROUPS = dict(zip(("ham", "film", "spam"), ABUSE_GROUPS.values(), strict=True))
ODD = [
    "free " * (MAX_TEXT_BYTES // 5) + "x",
    "x" * MAX_TEXT_BYTES,
    "free\x00prize now\x00",
    "\x1cfree\x1fprize\x85call\u2028now\u3000text",
    "שלום עולם free prize \u202bחינם\u202c",
    "مرحبا بالعالم lunch",
    "naïve cafe\u0301 e\u0301\u0323clair",
    "👩\u200d👩\u200d👧 free \U0001f600 🇫🇷",
    "ǅ ǈ ǋ ǲ Ǆungla",
    "İstanbul İİ ıI ẞ ß ſ K Å ﬁ Σίσυφος ΌΣΟΣ",
    "日本語 テスト ｆｒｅｅ",
    "zzzz qqqq",
    ".",
    "a",
    "\ufeff\u200b",
    "FREE Prize CLAIM cash!!! £1,000",
    "free  prize\t\nclaim \r\n cash",
]
REFUSED = {
    "nothing": ("", "is empty"),
    "white space": (" \t\r\n\u2003\x1c", "is empty"),
    "lone surrogate": ("free \ud800 prize", "lone surrogate at character 5"),
    "surrogate pair": ("\ud83d\ude00", "lone surrogate at character 0"),
    "one byte too many": ("é" * (MAX_TEXT_BYTES // 2) + "x", "65,537 bytes of UTF-8; at most 65,536"),
    "ten megabytes": ("free " * 2_000_000, "10,000,000 bytes"),
    "number": (5, "is of type int"),
    "nothing at all": (None, "is of type NoneType"),
}


@dataclass(frozen=True)
class Trial:
    """A family trained on the small corpus, its artifact loaded again, and its plain counterpart."""

    cascade: Cascade
    loaded: Cascade
    reference: Reference


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    """Every family in turn."""
    return request.param


@pytest.fixture(scope="module")
def trial(family: Family, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """The family trained on the small corpus."""
    groups = {label: GROUPS[label] for label in sorted(family.labels)}
    cascade, reference = train(family, *labelled(groups, 100))
    folder = tmp_path_factory.mktemp("contract") / "model"
    save_artifact(cascade, folder, golden=["free prize", "lunch tomorrow"], provenance={})
    return Trial(cascade, load_artifact(folder), reference)


@pytest.fixture(scope="module")
def texts(family: Family) -> list[str]:
    """Texts that the models have not seen, and odd ones among them."""
    return labelled({"ham": HAM, "spam": SPAM}, 60, seed=7)[0] + ODD


def test_a_texts_answer_does_not_depend_on_the_others(trial: Trial, texts: list[str]) -> None:
    rows = trial.cascade.predict_proba(texts)
    order = np.random.default_rng(1).permutation(len(texts))
    shuffled = trial.cascade.predict_proba([texts[at] for at in order])
    assert np.array_equal(shuffled, rows[order])
    assert np.array_equal(trial.cascade.predict_proba(texts * 3), np.vstack([rows] * 3))


def test_one_by_one_equals_a_batch_to_the_bit(trial: Trial, texts: list[str]) -> None:
    batch = trial.cascade.predict_proba(texts)
    alone = np.vstack([trial.cascade.predict_proba([text]) for text in texts])
    assert np.array_equal(alone, batch)
    assert [trial.cascade.decide([text])[0].label for text in texts] == trial.cascade.predict(texts)


def test_probabilities_sum_to_one(trial: Trial, texts: list[str]) -> None:
    rows = trial.cascade.predict_proba(texts)
    assert rows.shape == (len(texts), len(trial.cascade.labels))
    assert rows.min() >= 0
    assert np.abs(rows.sum(axis=1) - 1).max() < 1e-12


def test_save_and_load_keep_every_bit(trial: Trial, texts: list[str]) -> None:
    assert np.array_equal(trial.loaded.predict_proba(texts), trial.cascade.predict_proba(texts))
    assert trial.loaded.predict(texts) == trial.cascade.predict(texts)
    assert (trial.loaded.task, trial.loaded.labels) == (trial.cascade.task, trial.cascade.labels)


def test_small_texts_and_odd_ones_get_the_probabilities_of_scikit_learn(
    trial: Trial, texts: list[str]
) -> None:
    expected = trial.reference(texts)
    assert np.abs(trial.loaded.predict_proba(texts) - expected).max() < 1e-9


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(
        st.text(min_size=1).filter(lambda text: text.strip())
        | st.lists(st.sampled_from([*SPAM, *HAM, "FREE", "!", "\x00", "\n"]), min_size=1).map(" ".join),
        min_size=1,
        max_size=8,
    )
)
@example(texts=["ǅ"])
@example(texts=["İ", "i̇", "\u0345free"])
def test_any_unicode_text_gets_the_probabilities_of_scikit_learn(trial: Trial, texts: list[str]) -> None:
    valid = [text for text in texts if text.strip()] or ["a"]
    assert np.abs(trial.cascade.predict_proba(valid) - trial.reference(valid)).max() < 1e-9


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_texts_that_cannot_be_scored_are_refused_with_their_place(
    trial: Trial, text: str, reason: str
) -> None:
    with pytest.raises(TextError, match=reason) as caught:
        trial.cascade.decide(["free", text, ""])
    assert caught.value.data["index"] == 1


def test_no_texts_get_no_answers(trial: Trial) -> None:
    assert trial.cascade.decide([]) == []
    assert trial.cascade.predict_proba([]).shape == (0, len(trial.cascade.labels))


@pytest.fixture(scope="module")
def real() -> dict[str, list[str]]:
    """Real texts: reviews by label to train on, messages, and 5,000 texts to compare on."""
    if not DATA.is_dir():
        pytest.skip("shared data is absent")
    from pyarrow import parquet

    def column(name: str) -> tuple[list[str], list[str]]:
        table = parquet.read_table(DATA / name)
        return table["text"].to_pylist(), table["label"].to_pylist()

    reviews, labels = column("imdb_train.parquet")
    held_out, messages = column("imdb_test.parquet")[0], column("sms_spam.parquet")[0]
    by_label = {
        label: [review for review, given in zip(reviews, labels, strict=True) if given == name][:80]
        for label, name in (("ham", "negative"), ("spam", "positive"))
    }
    return by_label | {"film": messages[:80], "compared": held_out[::100] + messages[-4_750:]}


def test_five_thousand_real_texts_get_the_answers_of_scikit_learn(
    family: Family, real: dict[str, list[str]]
) -> None:
    rows = [(text, label) for label in family.labels for text in real[label]]
    cascade, reference = train(family, [text for text, _ in rows], [label for _, label in rows])
    texts = [text for text in real["compared"] if len(text.encode()) <= MAX_TEXT_BYTES]
    assert len(texts) == 5_000
    expected = reference(texts)
    found = cascade.predict_proba(texts)
    assert np.abs(found - expected).max() < 1e-9
    assert cascade.predict(texts) == [family.labels[column] for column in expected.argmax(axis=1)]
    assert len(set(cascade.predict(texts))) == len(family.labels)
