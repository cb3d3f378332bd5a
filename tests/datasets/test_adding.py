"""Rows from elsewhere are trained on, and touch nothing that is held out."""

import pytest

from assay.config import DataConfig
from assay.datasets import Dataset, Rows, add_training, side_of
from assay.datasets.adding import ELSEWHERE
from assay.datasets.validation import Audit
from assay.exceptions import DataError

DATA = DataConfig(source="made-up")
WORDS = "apple pear plum grape melon lemon cherry peach berry mango olive fig date lime kiwi".split()


def texts_on(side: str, count: int, begin: str = "a note about") -> list[str]:
    """Return texts whose hash puts them on a side."""
    found = (
        f"{begin} {one} and {other} and {third} for {place}"
        for place in WORDS for one in WORDS for other in WORDS for third in WORDS
    )  # fmt: skip
    chosen = []
    for text in found:
        if side_of(text, "mine", test=DATA.test, validation=DATA.validation) == side:
            chosen.append(text)
        if len(chosen) == count:
            return chosen
    raise AssertionError("too few texts")


def dataset_of(**columns: list[str]) -> Dataset:
    """Return a small dataset."""
    train = Rows(["free prize, call", "lunch at two"], ["spam", "ham"], columns)
    return Dataset(
        name="made-up",
        source="made up",
        train=train,
        validation=Rows(["win money today"], ["spam"]),
        test=Rows(["an invoice for the melon that was ordered in spring, thank you"], ["ham"]),
        audit=Audit(4, 4, ()),
    )


def test_rows_join_the_training_side_and_nothing_else_changes() -> None:
    dataset, texts = dataset_of(source=["a", "b"]), texts_on("train", 3)
    more = Rows(texts, ["spam", "ham", "spam"])
    grown, account = add_training(dataset, more, DATA, name="mine")
    assert grown.train.texts == [*dataset.train.texts, *texts]
    assert grown.train.columns == {"source": ["a", "b", *[ELSEWHERE] * 3]}
    assert (grown.test, grown.validation) == (dataset.test, dataset.validation)
    assert grown.test.fingerprint == dataset.test.fingerprint
    assert grown.fingerprint != dataset.fingerprint
    assert grown.added is not None
    assert grown.added.fingerprint == more.fingerprint
    assert account == [f"with 3 training rows labelled by feedback (fingerprint {more.fingerprint[:12]})"]
    assert grown.source == f"made up; {account[0].removeprefix('with ')}"


def test_what_is_held_out_or_would_be_and_what_is_known_stays_out() -> None:
    dataset, (fresh,) = dataset_of(), texts_on("train", 1)
    near = next(
        text
        for n in range(1000)
        if side_of(
            text := f"an invoice for the melon that was ordered in spring, thank you {n}", "mine",
            test=DATA.test, validation=DATA.validation,
        ) == "train"
    )  # fmt: skip
    others = {
        "An invoice for the melon that was ORDERED in spring, thank you": "ham",
        "Win  money today": "spam",
        texts_on("test", 1)[0]: "ham",
        texts_on("validation", 1)[0]: "ham",
        "FREE prize, call": "spam",
        "lunch at two": "spam",
        near: "ham",
    }
    more = Rows([*others, fresh], [*others.values(), "ham"])
    grown, account = add_training(dataset, more, DATA, name="mine")
    assert grown.added is not None
    assert grown.added.texts == [fresh]
    assert account[:-1] == [
        "2 rows of feedback left out: a held-out row has their text",
        "2 rows of feedback left out: their text belongs to the held-out side of the split",
        "1 rows of feedback left out: a training row has their text and label",
        "1 rows of feedback left out: a training row has their text under another label",
        "1 rows of feedback left out: they nearly repeat a test row",
    ]


def test_the_salt_of_the_data_decides_the_side_too() -> None:
    text = texts_on("train", 1)[0]
    salt = next(
        str(n)
        for n in range(100)
        if side_of(text, str(n), test=DATA.test, validation=DATA.validation) == "test"
    )
    salted = DATA.model_copy(update={"salt": salt})
    with pytest.raises(DataError, match="None of the 1 rows of feedback can be trained on"):
        add_training(dataset_of(), Rows([text], ["ham"]), salted, name="mine")
