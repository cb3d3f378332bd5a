"""Commands as processes: pipes that close, disks that are full, people who press Ctrl+C, and the service."""

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.running import ASSAY, files_under, read_until, run, serving, started, stop, unmeasured
from tests.servers import free_port

ROWS = "text\n" + "free prize claim now\n" * 2_000


@pytest.fixture(autouse=True)
def _in_a_workplace(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every command away from the repository's own tasks and home, its output buffered as in a shell."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    (workplace / "rows.csv").write_text(ROWS)


def test_a_reader_that_goes_away_is_no_crash(spam_artifact: Path) -> None:
    command = (
        f"{sys.executable} -m assay.cli score {spam_artifact} rows.csv | head -1; exit ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout.count("\n"), done.stderr) == (1, 1, "")


def test_a_reader_that_was_never_there_is_no_crash() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        done = subprocess.run([*ASSAY, "data", "list"], stdout=nobody, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_full_disk_behind_standard_output_is_said(spam_artifact: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*ASSAY, "score", str(spam_artifact), "rows.csv"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


@pytest.mark.parametrize("before", ["what was there\n", None])
def test_a_disk_that_fills_up_keeps_the_output_of_before(spam_artifact: Path, before: str | None) -> None:
    out = Path("out.csv")
    if before:
        out.write_text(before)
    names = files_under(Path())

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = run("score", str(spam_artifact), "rows.csv", "-o", "out.csv", preexec_fn=limit, env=unmeasured())
    assert done.returncode == 1
    assert done.stderr == f"error: {str(out.resolve())!r} could not be written: File too large.\n"
    assert files_under(Path()) == names
    assert (out.read_text() if before else None) == before


def test_ctrl_c_stops_a_scoring_and_keeps_nothing(spam_artifact: Path) -> None:
    with started("score", str(spam_artifact), "-", "-o", "out.csv", measured=False) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(ROWS)
        process.stdin.flush()
        while not list(Path().glob(".out.csv.*.draft")):
            assert process.poll() is None
        assert stop(process, signal.SIGINT) == 1
        assert process.stderr.read() == "\nStopped.\n"
    assert not [name for name in files_under(Path()) if "out.csv" in name]


def test_the_service_says_what_it_serves_and_stops_when_told(spam_artifact: Path) -> None:
    with serving("--models", str(spam_artifact)) as (address, process):
        assert httpx.post(f"{address}/predict", json={"text": "free prize"}).json()["label"] == "spam"
        assert stop(process, signal.SIGINT) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_the_service_without_a_model_starts_and_says_how_to_train_one() -> None:
    with started("serve", "--port", "0") as process:
        address = read_until(process, r"then (http://\S+) answers")[1]
        read_until(process, r"WARNING: +No models were found: The registry has no production version")
        read_until(process, r"startup complete")
        answer = httpx.get(f"{address}/health/ready")
        assert answer.status_code == 503
        assert "assay train" in answer.json()["error"]["message"]


def test_the_service_tells_of_a_model_that_is_damaged(spam_artifact: Path) -> None:
    folder = Path("model")
    folder.mkdir()
    for path in spam_artifact.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with started("serve", "--port", "0", "--models", "model") as process:
        read_until(process, r"ERROR: +Not serving the task model: .*model.safetensors")


def test_a_port_that_is_taken_is_said_at_once(spam_artifact: Path) -> None:
    with serving("--models", str(spam_artifact)) as (address, _):
        port = address.rpartition(":")[2]
        done = run("serve", "--port", port)
    assert done.returncode == 1
    expected = f"error: http://127.0.0.1:{port} cannot be listened on: Address already in use. Choose another"
    assert done.stderr.startswith(expected)


def test_settings_of_the_environment_reach_the_service(
    spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("ASSAY_PORT", str(port))
    monkeypatch.setenv("ASSAY_MODELS", str(spam_artifact))
    with started("serve") as process:
        assert read_until(process, r"then (http://\S+) answers")[1] == f"http://127.0.0.1:{port}"
        assert re.search("spam", read_until(process, r"Serving the task (.*)")[1])
