"""One file over HTTP: resumed, checked, and never seen half-written under its own name."""

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from assay.exceptions import DownloadError
from assay.progress import Bar, Progress

if TYPE_CHECKING:
    import httpx

CHUNK = 64 * 1024
ATTEMPTS = 3
TIMEOUT_SECONDS = 30.0


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_whole(path: Path, sha256: str) -> bool:
    """Return whether a file is there and hashes to what it must."""
    return path.is_file() and sha256_of(path) == sha256


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for other processes that download the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def download(
    find_url: Callable[[], str], target: Path, *, sha256: str, size: int, progress: Progress
) -> None:
    """Make ``target`` the file at an address, unless it is there and whole already.

    ``find_url`` is called only when there is something to fetch; ``file:`` addresses work as well.
    What an interrupted download left in ``<target>.part`` is continued. ``size`` is in bytes.

    Raises DownloadError when the address cannot be reached (``data["part"]`` is kept) or the bytes
    do not hash to ``sha256`` (they are deleted).
    """
    try:
        with _alone(target):
            if not is_whole(target, sha256):
                _fetch(find_url(), target, sha256, size, progress)
    except OSError as error:
        raise DownloadError(
            f"{target.name} could not be written to {str(target.parent)!r}: {error}. "
            "Free space or point ASSAY_HOME elsewhere; the download goes on where it stopped.",
            target=target,
        ) from error


def _fetch(url: str, target: Path, sha256: str, size: int, progress: Progress) -> None:
    part = target.with_name(target.name + ".part")
    with progress.bar(f"fetching {target.name}", size) as bar:
        if urlsplit(url).scheme == "file":
            _copy(url, part, bar)
        else:
            _receive(url, part, bar)
    found = sha256_of(part)
    if found != sha256:
        part.unlink()
        raise DownloadError(
            f"{url} does not hold what it must: its SHA-256 is {found!r}, and {sha256!r} is expected. "
            "It was deleted. Try again; if it stays so, the index or a proxy serves another file.",
            url=url,
            sha256=found,
            expected=sha256,
        )
    part.replace(target)


def _copy(url: str, part: Path, bar: Bar) -> None:
    source = Path(unquote(urlsplit(url).path))
    if not source.is_file():
        raise _unreachable(url, part, "there is no such file")
    with source.open("rb") as file, part.open("wb") as out:
        while chunk := file.read(CHUNK):
            out.write(chunk)
            bar.advance(len(chunk))


def _receive(url: str, part: Path, bar: Bar) -> None:
    import httpx

    # httpx's own list of authorities, and those of the machine, which pip and curl trust as well.
    trusted = httpx.create_ssl_context()
    trusted.load_default_certs()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with httpx.Client(follow_redirects=True, timeout=TIMEOUT_SECONDS, verify=trusted) as client:
                _append(client, url, part, bar)
            return
        except httpx.HTTPStatusError as error:
            raise _unreachable(url, part, f"the server answered {error.response.status_code}") from error
        except httpx.HTTPError as error:
            if attempt == ATTEMPTS:
                raise _unreachable(url, part, str(error) or type(error).__name__) from error


def _append(client: "httpx.Client", url: str, part: Path, bar: Bar) -> None:
    held = part.stat().st_size if part.exists() else 0
    # Compressed transfer would make the bytes of a range other bytes.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={held}-"} if held else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416:
            # Nothing is left to send: the part is whole or longer than the file; its checksum tells.
            return
        response.raise_for_status()
        resumed = response.status_code == 206
        with part.open("ab" if resumed else "wb") as out:
            bar.done = held if resumed else 0
            for chunk in response.iter_bytes():
                out.write(chunk)
                bar.advance(len(chunk))


def _unreachable(url: str, part: Path, why: str) -> DownloadError:
    return DownloadError(
        f"{url} could not be fetched: {why}. Check the network and try again; what has arrived is kept "
        "and the download goes on from there.",
        url=url,
        part=part,
    )
