"""The published sets themselves, where this machine has them beside the checkout."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.datasets import Dataset

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="shared data is absent")
Load = Callable[..., Dataset]


def found(dataset: Dataset) -> dict[tuple[str, bool], int]:
    return {(finding.kind, finding.dropped): finding.count for finding in dataset.audit.findings}


def test_the_split_of_imdb_is_kept(load: Load) -> None:
    dataset = load(DATA / "imdb_*.parquet", labels=["negative", "positive"])
    assert dataset.counts()["test"] == {"negative": 12_500, "positive": 12_500}
    assert len(dataset.training) == 25_000 - 123 - 96
    assert found(dataset) == {("straddles", True): 123, ("duplicate", True): 96, ("duplicate", False): 199}


def test_imdb_without_dropping_repeats_loses_only_what_straddles(load: Load) -> None:
    dataset = load(DATA / "imdb_*.parquet", labels=["negative", "positive"], duplicates="keep")
    assert len(dataset.test) == 25_000
    assert len(dataset.training) == 25_000 - 123


def test_sms_spam_has_its_duplicates_dropped(load: Load) -> None:
    dataset = load(DATA / "sms_spam.parquet", labels=["ham", "spam"])
    assert dataset.audit.rows_read == 5_574
    # 403 rows repeat an earlier one to the letter; 12 more differ in case or spaces only.
    assert found(dataset) == {("duplicate", True): 415}


def test_davidson_has_two_rows_that_disagree(load: Load) -> None:
    dataset = load(DATA / "davidson_tweets.parquet", labels=["hate_speech", "offensive_language", "neither"])
    assert dataset.audit.rows_read == 24_783
    assert found(dataset) == {("conflict", True): 2, ("duplicate", True): 11}


def test_some_test_rows_of_sms_spam_nearly_repeat_training_rows(load: Load) -> None:
    dataset = load(DATA / "sms_spam.parquet", labels=["ham", "spam"], salt="spam")
    spam = [label == "spam" for label in dataset.test.labels]
    # Counting the shingles of every pair finds 67; one of them, at 0.52, is missed.
    assert (len(dataset.test), dataset.near.sum(), dataset.near[spam].sum()) == (1_015, 66, 50)


def test_hardly_any_review_of_imdb_nearly_repeats_another(load: Load) -> None:
    dataset = load(DATA / "imdb_*.parquet", labels=["negative", "positive"])
    assert dataset.near.sum() == 5
