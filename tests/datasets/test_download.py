import hashlib
import io
import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.datasets.download import download
from assay.exceptions import DownloadError
from assay.progress import Progress
from tests.datasets.conftest import QUIET, FileServer

CONTENT = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def get(url: str, target: Path, sha256: str = SHA256) -> None:
    download(lambda: url, target, sha256=sha256, size=len(CONTENT), progress=QUIET)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_file_is_fetched_whole(server: FileServer, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    get(server.url + "/a", tmp_path / "new" / "a")
    assert (tmp_path / "new" / "a").read_bytes() == CONTENT
    assert names(tmp_path / "new") == ["a"]


def test_an_interrupted_download_goes_on_where_it_stopped(server: FileServer, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    server.break_after = [300_000, 200_000]
    get(server.url + "/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert [span for _, _, span in server.asked] == ["", "bytes=300000-", "bytes=500000-"]


def test_what_arrived_is_kept_for_the_next_command(server: FileServer, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    server.break_after = [100_000, 100_000, 100_000]
    with pytest.raises(DownloadError, match=r"could not be fetched.*goes on from there"):
        get(server.url + "/a", tmp_path / "a")
    assert names(tmp_path) == ["a.part"]
    get(server.url + "/a", tmp_path / "a")
    assert server.asked[-1][2] == "bytes=300000-"
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_server_that_ignores_ranges_is_read_from_the_start(server: FileServer, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    server.heeds_ranges = False
    (tmp_path / "a.part").write_bytes(CONTENT[:1_000])
    get(server.url + "/a", tmp_path / "a")
    assert server.asked[0][2] == "bytes=1000-"
    assert (tmp_path / "a").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more"], ids=["whole", "too long"])
def test_a_part_that_needs_nothing_more_is_judged_by_its_checksum(
    server: FileServer, tmp_path: Path, part: bytes
) -> None:
    server.files["/a"] = CONTENT
    (tmp_path / "a.part").write_bytes(part)
    if part == CONTENT:
        get(server.url + "/a", tmp_path / "a")
        assert names(tmp_path) == ["a"]
    else:
        with pytest.raises(DownloadError, match="does not hold what it must"):
            get(server.url + "/a", tmp_path / "a")
        assert names(tmp_path) == []


def test_other_bytes_are_deleted_and_refused(server: FileServer, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT[:-1] + b"?"
    with pytest.raises(DownloadError, match=f"SHA-256 is '[0-9a-f]+', and '{SHA256}' is expected.*Try again"):
        get(server.url + "/a", tmp_path / "a")
    assert names(tmp_path) == []


def test_a_file_that_is_there_whole_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)

    def find_url() -> str:
        raise AssertionError("asked for an address")

    download(find_url, tmp_path / "a", sha256=SHA256, size=len(CONTENT), progress=QUIET)


def test_a_damaged_file_is_fetched_again(server: FileServer, tmp_path: Path) -> None:
    server.files["/a"] = CONTENT
    (tmp_path / "a").write_bytes(b"damaged")
    get(server.url + "/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_file_address_is_copied(tmp_path: Path) -> None:
    (tmp_path / "with space").write_bytes(CONTENT)
    get((tmp_path / "with space").as_uri(), tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_file_address_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"absent could not be fetched: there is no such file"):
        get((tmp_path / "absent").as_uri(), tmp_path / "a")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 500,000 bytes, which fails like a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_and_leaves_nothing_that_looks_whole(
    server: FileServer, tmp_path: Path, small_disk: None
) -> None:
    server.files["/a"] = CONTENT
    with pytest.raises(DownloadError, match=r"a could not be written to .*Free space"):
        get(server.url + "/a", tmp_path / "a")
    assert names(tmp_path) == ["a.part"]


def test_an_answer_that_is_an_error_is_told(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="the server answered 404"):
        get(server.url + "/a", tmp_path / "a")


def test_no_network_is_told(server: FileServer, tmp_path: Path) -> None:
    server.close()
    with pytest.raises(DownloadError, match=r"/a could not be fetched: .*refused.*Check the network"):
        get(server.url + "/a", tmp_path / "a")


def test_a_folder_that_cannot_be_written_is_told(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"could not be written to .*ASSAY_HOME"):
        get(server.url + "/a", tmp_path / "file" / "a")


def test_a_terminal_sees_how_far_it_is(server: FileServer, tmp_path: Path) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    server.files["/a"] = CONTENT
    (tmp_path / "a.part").write_bytes(CONTENT[: len(CONTENT) // 2])
    terminal = Terminal()
    download(
        lambda: server.url + "/a",
        tmp_path / "a",
        sha256=SHA256,
        size=len(CONTENT),
        progress=Progress(terminal),
    )
    assert "fetching a [" in terminal.getvalue()
    assert all(int(share) >= 50 for share in re.findall(r"(\d+)%", terminal.getvalue()))
    assert "/ 1,024,000" in terminal.getvalue()
