import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.datasets.catalog import HubFile
from assay.datasets.hub import fetch_hub_file
from assay.exceptions import MissingExtra
from tests.datasets.conftest import FileServer

REVISION = "0123456789abcdef0123456789abcdef01234567"
# The library reads HF_ENDPOINT when it is imported, so each look at another hub is a process of its own.
FETCH = """
import sys
from pathlib import Path
from assay.datasets.catalog import HubFile
from assay.datasets.hub import fetch_hub_file
from assay.exceptions import DownloadError
home, revision, sha256 = sys.argv[1:]
file = HubFile(repository="team/mail", revision=revision, path="data/train.parquet", sha256=sha256 or None)
try:
    print(fetch_hub_file(file, Path(home)))
except DownloadError as error:
    sys.exit(f"DownloadError: {error}")
"""
LOAD = """
import json
import sys
from pathlib import Path
from assay.config import DataConfig
from assay.datasets import CATALOG, load_dataset
from assay.progress import Progress
name, home = sys.argv[1:]
data, labels = DataConfig(source=name), CATALOG[name].labels
dataset = load_dataset(data, name=name, labels=labels, home=Path(home), progress=Progress(quiet=True))
print(json.dumps(dataset.counts()))
"""


def python(server_url: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HF_ENDPOINT": server_url,
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "*",
    }
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def parquet(columns: dict[str, list[object]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def serve(server: FileServer, repository: str, revision: str, path: str, content: bytes) -> None:
    """Serve a file as the hub does: its address, the commit it is of, and its hash as the entity tag."""
    server.files[f"/datasets/{repository}/resolve/{revision}/{path}"] = content
    server.headers = {"X-Repo-Commit": revision, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}


def test_a_file_is_fetched_at_its_revision_once(server: FileServer, tmp_path: Path) -> None:
    content = parquet({"text": ["hello"]})
    serve(server, "team/mail", REVISION, "data/train.parquet", content)
    sha256 = hashlib.sha256(content).hexdigest()
    done = python(server.url, FETCH, str(tmp_path), REVISION, sha256)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == content
    assert server.asked
    server.asked.clear()
    again = python(server.url, FETCH, str(tmp_path), REVISION, sha256)
    assert again.stdout == done.stdout
    assert server.asked == []


def test_other_bytes_are_refused_and_leave_the_cache(server: FileServer, tmp_path: Path) -> None:
    content = parquet({"text": ["hello"]})
    serve(server, "team/mail", REVISION, "data/train.parquet", content)
    done = python(server.url, FETCH, str(tmp_path), REVISION, "0" * 64)
    assert (
        "DownloadError: hub team/mail@01234567, data/train.parquet does not hold what it must" in done.stderr
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == content]
    done = python(server.url, FETCH, str(tmp_path), REVISION, hashlib.sha256(content).hexdigest())
    assert done.returncode == 0, done.stderr


def test_a_file_that_the_hub_does_not_have_is_told(server: FileServer, tmp_path: Path) -> None:
    done = python(server.url, FETCH, str(tmp_path), REVISION, "")
    assert "DownloadError: hub team/mail@01234567, data/train.parquet could not be fetched" in done.stderr
    assert "give the path of a local copy" in done.stderr


def test_a_hub_that_may_not_be_asked_is_told(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = python(server.url, FETCH, str(tmp_path), REVISION, "")
    assert "DownloadError: hub team/mail@01234567, data/train.parquet could not be fetched" in done.stderr
    assert server.asked == []


def test_sms_spam_is_loaded_as_the_hub_serves_it(server: FileServer, tmp_path: Path) -> None:
    texts: list[object] = [f"message {number}\n" for number in range(100)]
    labels: list[object] = [int(number % 4 == 0) for number in range(100)]
    revision = "cae486f927c250fe1d4a5b55f11357964ed1646c"
    content = parquet({"sms": texts, "label": labels})
    serve(server, "ucirvine/sms_spam", revision, "plain_text/train-00000-of-00001.parquet", content)
    done = python(server.url, LOAD, "sms-spam", str(tmp_path))
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert sum(side["ham"] for side in counts.values()) == 75
    assert sum(side["spam"] for side in counts.values()) == 25


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    file = HubFile(repository="team/mail", revision=REVISION, path="train.parquet")
    with pytest.raises(MissingExtra, match=r"team/mail from the hub needs .*'huggingface_hub'.*assay\[hub\]"):
        fetch_hub_file(file, tmp_path)
