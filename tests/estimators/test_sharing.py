"""One copy of a file for many processes: verified, out of reach of who changes the file, and never left."""

import fcntl
import gc
import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from assay.estimators import load_artifact
from assay.estimators.sharing import map_shared, sweep
from assay.estimators.tensors import share_tensors, write_tensors
from assay.exceptions import ArtifactError

HOLDING = """
import sys
from pathlib import Path
from assay.estimators.sharing import map_shared
memory = map_shared(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
[found] = [line.split() for line in open("/proc/self/maps") if sys.argv[3] in line]
print(found[4], flush=True)
sys.stdin.read()
"""
"""Maps a file and says which inode that is, until its standard input ends."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    write_tensors(path, {"numbers": np.arange(10_000.0)})
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "weights"
    path.mkdir()
    return path


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def inode_mapped(name: str) -> str:
    """Return the inode of the mapped file of a name in this process."""
    [found] = [line.split() for line in Path("/proc/self/maps").read_text().splitlines() if name in line]
    return found[4]


def test_two_processes_map_one_file_which_the_last_one_removes(source: Path, folder: Path) -> None:
    digest = digest_of(source)
    memory = map_shared(source, folder, digest)
    command = [sys.executable, "-c", HOLDING, str(source), str(folder), digest]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == inode_mapped(digest)
        del memory
        gc.collect()
        assert [path.name for path in folder.iterdir()] == [digest]
        other.communicate()
    sweep(folder)
    assert list(folder.iterdir()) == []


def test_the_last_user_of_a_copy_removes_it(source: Path, folder: Path) -> None:
    first, second = (share_tensors(source, digest_of(source), folder) for _ in range(2))
    one = first["numbers"]
    del first, second
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o400]
    del one
    assert list(folder.iterdir()) == []


def test_what_is_done_to_the_file_changes_nothing_that_was_loaded(source: Path, folder: Path) -> None:
    arrays = share_tensors(source, digest_of(source), folder)
    os.truncate(source, 10)
    source.unlink()
    for copy in folder.iterdir():
        copy.unlink()
    np.testing.assert_array_equal(arrays["numbers"], np.arange(10_000.0))
    assert not arrays["numbers"].flags.writeable


def test_a_damaged_copy_is_not_believed_although_it_is_in_use(source: Path, folder: Path) -> None:
    digest = digest_of(source)
    damaged = bytearray(source.read_bytes())
    damaged[-1] ^= 1
    (folder / digest).write_bytes(damaged)
    with (folder / digest).open("rb") as used:
        fcntl.flock(used, fcntl.LOCK_SH)
        arrays = share_tensors(source, digest, folder)
    np.testing.assert_array_equal(arrays["numbers"], np.arange(10_000.0))


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 100_000])
def test_a_file_that_is_not_what_was_promised_is_refused(source: Path, folder: Path, content: bytes) -> None:
    digest = digest_of(source)
    source.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model\.safetensors is damaged: its SHA-256 begins with"):
        share_tensors(source, digest, folder)
    assert list(folder.iterdir()) == []


def test_a_folder_that_takes_no_copy_leaves_each_its_own(
    source: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.rmdir()
    arrays = share_tensors(source, digest_of(source), folder)
    np.testing.assert_array_equal(arrays["numbers"], np.arange(10_000.0))
    assert "is not shared with other workers: No such file or directory" in caplog.text


def test_a_full_disk_leaves_each_its_own(
    source: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        arrays = share_tensors(source, digest_of(source), folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    np.testing.assert_array_equal(arrays["numbers"], np.arange(10_000.0))
    assert "is not shared with other workers: File too large" in caplog.text
    assert list(folder.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(source: Path, folder: Path) -> None:
    left = folder / ".draft"
    left.write_bytes(b"half")
    memory = map_shared(source, folder, digest_of(source))
    assert [path.name for path in folder.iterdir()] == [digest_of(source)]
    assert len(memory) == source.stat().st_size


def test_copies_that_vanish_as_soon_as_they_are_made_are_given_up(
    source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.estimators.sharing._make", lambda source, place: None)
    with pytest.raises(OSError, match="cannot be shared"):
        map_shared(source, folder, digest_of(source))


def test_an_artifact_decides_the_same_from_shared_weights(folder: Path) -> None:
    artifact = Path(__file__).parents[1] / "artifacts" / "v1" / "words-and-characters"
    texts = ["free prize, call now", "lunch tomorrow?"]
    shared = load_artifact(artifact, shared=folder)
    assert len(list(folder.iterdir())) == 1
    expected = load_artifact(artifact).predict_proba(texts)
    np.testing.assert_array_equal(shared.predict_proba(texts), expected)
