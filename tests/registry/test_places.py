"""What a registry names on a machine, and the same under other paths."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from assay.registry import inventory_of, move_sources, moved_source
from tests.conftest import PLACES
from tests.moving import Mover


@pytest.mark.parametrize(
    ("source", "moved"),
    [
        ("file:///old/place/artifacts/x", "file:///new/artifacts/x"),
        ("/old/place", "/new"),
        ("/old/place-2/x", None),
        ("file:///old/place/part/x%20y", "file:///other/x%20y"),
        ("mlflow-artifacts:/old/place/x", None),
        ("s3://old/place", None),
    ],
)
def test_a_source_moves_with_its_folder_and_stays_written_as_it_was(source: str, moved: str | None) -> None:
    assert moved_source(source, {"/old/place": "/new", "/old/place/part": "/other"}) == moved


def test_every_place_is_moved_and_all_that_is_held_is_named(mover: Mover, stocked: Path) -> None:
    uri = mover.settings.store
    with inventory_of(uri) as inventory:
        assert {(each.model, each.number) for each in inventory.versions} == {
            ("SpamClassifier", "1"),
            ("SpamClassifier", "2"),
            ("SentimentClassifier", "1"),
        }
        assert {each.source for each in inventory.versions} <= set(inventory.sources)
        assert any(str(stocked) in each for each in inventory.experiments)
        assert inventory.snapshot == ""
    assert move_sources(uri, {str(stocked): "/somewhere/else"}) > 0
    assert move_sources(uri, {str(stocked): "/somewhere/else"}) == 0
    with closing(sqlite3.connect(mover.settings.home / "mlflow.db")) as database:
        for table, column in PLACES:
            values = [row[0] or "" for row in database.execute(f"SELECT {column} FROM {table}")]
            assert [value for value in values if str(stocked) in value] == []
