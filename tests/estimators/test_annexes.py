"""What an artifact keeps of how its operating point was chosen, read with the same suspicion as the rest."""

import shutil
from pathlib import Path

import pytest

from assay.estimators import read_held_out, read_tables
from assay.exceptions import ArtifactError
from tests.estimators.made_up import rehash, written

OLD = Path("tests/artifacts/v1/three-labels")


def test_an_old_artifact_has_neither() -> None:
    assert read_held_out(OLD) is None
    assert read_tables(OLD) == ()


@pytest.mark.parametrize(
    ("name", "content", "read", "reason"),
    [
        ("thresholds.json", b'[{"label": "spam"}]', read_tables, r"(?s)thresholds\.json is damaged.*goal"),
        ("thresholds.json", b"[", read_tables, r"thresholds\.json is damaged"),
        ("model.json", b'{"link": "probit"}', read_held_out, r"(?s)is not consistent.*link"),
        ("out_of_fold.safetensors", b"", read_held_out, "not a whole safetensors file"),
    ],
    ids=["a table without rows", "no JSON", "a model of no kind", "no arrays"],
)
def test_an_annex_whose_hash_fits_but_not_its_content_is_refused(
    ruled_artifact: Path, tmp_path: Path, name: str, content: bytes, read: object, reason: str
) -> None:
    folder = Path(shutil.copytree(ruled_artifact, tmp_path / "copy"))
    written(name, content)(folder)
    rehash(folder)
    with pytest.raises(ArtifactError, match=reason):
        read(folder)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "read"), [("thresholds.json", read_tables), ("out_of_fold.safetensors", read_held_out)]
)
def test_a_changed_annex_is_refused_by_name(
    ruled_artifact: Path, tmp_path: Path, name: str, read: object
) -> None:
    folder = Path(shutil.copytree(ruled_artifact, tmp_path / "copy"))
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtifactError, match=f"{name} is damaged: its SHA-256"):
        read(folder)  # type: ignore[operator]
