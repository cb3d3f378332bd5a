import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.datasets import Dataset
from assay.exceptions import DataError

Load = Callable[..., Dataset]


def write_side(path: Path, word: str, count: int = 60) -> None:
    with path.open("w", newline="") as file:
        rows = [(f"{word} text {n}", "xy"[n % 2]) for n in range(count)]
        csv.writer(file).writerows([("text", "label"), *rows])


def write_texts(folder: Path, word: str, count: int = 40) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}_7.txt").write_text(f"{word} text {number}")


def test_a_star_stands_for_the_sides_and_their_split_is_kept(tmp_path: Path, load: Load) -> None:
    write_side(tmp_path / "mail_train.csv", "train")
    write_side(tmp_path / "mail_test.csv", "test", 30)
    dataset = load(tmp_path / "mail_*.csv", validation=0.3)
    assert len(dataset.test) == 30
    assert all(text.startswith("test") for text in dataset.test.texts)
    assert all(text.startswith("train") for text in dataset.training.texts)
    assert 5 < len(dataset.validation) < 35


def test_a_validation_file_is_the_validation_side(tmp_path: Path, load: Load) -> None:
    for side in ("train", "validation", "test"):
        write_side(tmp_path / f"{side}.csv", side)
    dataset = load(tmp_path / "*.csv")
    for side in ("train", "validation", "test"):
        assert len(dataset.side(side)) == 60
        assert all(text.startswith(side) for text in dataset.side(side).texts)


def test_findings_name_the_file_of_a_side(tmp_path: Path, load: Load) -> None:
    write_side(tmp_path / "train.csv", "same")
    write_side(tmp_path / "test.csv", "same", 20)
    (finding, *_) = load(tmp_path / "*.csv").audit.findings
    assert (finding.kind, finding.count, finding.file) == ("straddles", 20, "train.csv")
    assert "(rows 1, 2, 3, 4, 5 and 15 more of train.csv)" in finding.message


def test_a_star_without_its_files_names_those_that_are_missing(tmp_path: Path, load: Load) -> None:
    write_side(tmp_path / "mail_train.csv", "train")
    with pytest.raises(DataError, match=r"stands for train and test, and there is no .*mail_test\.csv"):
        load(tmp_path / "mail_*.csv")


def test_a_folder_in_the_form_of_acl_imdb_is_read_and_unsup_is_not(tmp_path: Path, load: Load) -> None:
    for side in ("train", "test"):
        for label in ("pos", "neg"):
            write_texts(tmp_path / side / label, f"{side} {label}")
    write_texts(tmp_path / "train" / "unsup", "unlabelled")
    (tmp_path / "train" / "urls_pos.txt").write_text("http://example.org")
    dataset = load(tmp_path, labels=["negative", "positive"])
    assert dataset.counts()["test"] == {"negative": 40, "positive": 40}
    assert all(text.startswith("test") for text in dataset.test.texts)
    assert dataset.audit.rows_read == 160
    by_label = zip(dataset.training.texts, dataset.training.labels, strict=True)
    assert all(
        text.startswith("train pos" if label == "positive" else "train neg") for text, label in by_label
    )


def test_labels_can_be_renamed_by_what_the_source_or_the_reader_calls_them(
    tmp_path: Path, load: Load
) -> None:
    write_texts(tmp_path / "pos", "good")
    write_texts(tmp_path / "neg", "bad")
    assert load(tmp_path, rename={"pos": "like", "negative": "dislike"}).labels == ("dislike", "like")


def test_a_folder_of_label_folders_is_split_by_hash(tmp_path: Path, load: Load) -> None:
    write_texts(tmp_path / "ham", "good")
    write_texts(tmp_path / "spam", "bad")
    (tmp_path / "spam" / "0_7.txt").write_bytes(b"caf\xe9")
    dataset = load(tmp_path, labels=["ham", "spam"])
    assert len(dataset.test) > 0
    assert [(one.kind, one.rows) for one in dataset.audit.findings if one.dropped] == [("bad_utf8", (41,))]


def test_a_folder_without_texts_says_what_was_expected(tmp_path: Path, load: Load) -> None:
    with pytest.raises(DataError, match=r"has no folder of texts\. Expected a folder"):
        load(tmp_path)


def test_a_source_that_is_nothing_lists_the_named_sets(load: Load) -> None:
    with pytest.raises(DataError, match=r"'imbd' is neither a named set nor a path.*imdb, sms-spam"):
        load("imbd")
