"""How workers hear of each other."""

from itertools import pairwise
from pathlib import Path

from assay.serving.bell import Bell


def test_each_ring_is_heard_by_all(tmp_path: Path) -> None:
    ringer, hearer = Bell(tmp_path / "refresh"), Bell(tmp_path / "refresh")
    heard = [hearer.heard()]
    for _ in range(20):
        ringer.ring()
        heard.append(hearer.heard())
        assert hearer.heard() == heard[-1]
    assert all(before != after for before, after in pairwise(heard))
    assert [path.name for path in tmp_path.iterdir()] == ["refresh"]


def test_a_bell_that_is_nowhere_or_whose_folder_is_gone_is_silent(tmp_path: Path) -> None:
    for bell in (Bell(None), Bell(tmp_path / "gone" / "refresh")):
        bell.ring()
        assert bell.heard() is None
