"""The service as processes: workers that die, are replaced, are restarted, and stop."""

import os
import shutil
import signal
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from assay.service.limits import LOOK_SECONDS
from tests.running import drained, read_until, run, serving, started, stop
from tests.serving.hammer import hammering


@pytest.fixture(autouse=True)
def _in_a_workplace(workplace: Path) -> None:
    """Keep the services away from the repository's own tasks and home."""


@contextmanager
def workers(artifact: Path, count: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the service with some workers, all of them ready."""
    with started("serve", "--port", "0", "--workers", str(count), "--models", str(artifact)) as process:
        address = read_until(process, r"then (http://\S+) answers")[1]
        for _ in range(count):
            read_until(process, r"startup complete")
        yield address, process


def children(process: subprocess.Popen[str]) -> list[int]:
    """Return the process ids of the workers."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never became so"
        time.sleep(0.05)


def decisions(address: str) -> int:
    """Return how many decisions the service tells of."""
    return int(httpx.get(f"{address}/health", timeout=30).json()["statistics"]["decisions"])


@pytest.mark.parametrize("count", [1, 2])
def test_no_request_is_lost_when_the_service_is_told_to_stop(spam_artifact: Path, count: int) -> None:
    with workers(spam_artifact, count) as (address, process), hammering(address) as hammer:
        hammer.wait_for(50)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        for thread in hammer.threads:
            thread.join(30)
    assert hammer.lost == []
    assert hammer.closing > 0
    assert set(hammer.answered) <= {200, 503}


def test_a_service_of_workers_stops_without_a_word_of_errors(spam_artifact: Path) -> None:
    with workers(spam_artifact, 2) as (address, process):
        assert httpx.get(f"{address}/health/ready").status_code == 200
        said = drained(process)
        assert stop(process, signal.SIGTERM) == 0
        assert [line for line in said.to_the_end() if not line.startswith("INFO")] == []


def test_a_service_that_stops_is_not_ready_and_still_answers(
    spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_DRAIN_SECONDS", "300")
    with workers(spam_artifact, 1) as (address, process):
        process.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(f"{address}/health/ready").status_code == 503)
        answer = httpx.post(f"{address}/predict", json={"text": "free prize"})
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        assert httpx.get(f"{address}/health/ready").json()["error"]["code"] == "stopping"
        assert stop(process, signal.SIGINT) == 0


def test_a_request_under_way_is_finished_when_the_service_stops(spam_artifact: Path) -> None:
    with workers(spam_artifact, 1) as (address, process), httpx.Client(timeout=60) as client:

        def body() -> Iterator[bytes]:
            yield b'{"text": '
            process.send_signal(signal.SIGTERM)
            time.sleep(2)
            yield b'"free prize"}'

        answer = client.post(
            f"{address}/predict", content=body(), headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["label"]) == (200, "spam")
        assert process.wait(30) == 0


def test_a_worker_that_is_killed_takes_only_its_own_requests_along_and_is_replaced(
    spam_artifact: Path,
) -> None:
    with workers(spam_artifact, 2) as (address, process):
        with hammering(address) as first:
            first.wait_for(50)
        counted = first.answered[200]
        # A worker adds up what it answers for a quarter of a second; that alone goes with it.
        until(lambda: decisions(address) == counted)
        check_a_killed_worker(address, process, counted)
        assert stop(process, signal.SIGTERM) == 0


def check_a_killed_worker(address: str, process: subprocess.Popen[str], counted: int) -> None:
    """Kill one of two workers under load; ``counted`` is what both have counted before."""
    with hammering(address) as hammer:
        hammer.wait_for(50)
        before, told_before = children(process), decisions(address)
        os.kill(before[0], signal.SIGKILL)
        uncounted = hammer.answered[200] + len(hammer.threads)
        until(lambda: len(children(process)) == 2 and before[0] not in children(process))
        hammer.wait_for(50)
        hammer.ended.set()
        for thread in hammer.threads:
            thread.join(30)
        assert len(hammer.lost) <= len(hammer.threads)
        answered = counted + hammer.answered[200]
        # What the dead one counted is not lost, and every worker tells the same as soon as all have counted.
        time.sleep(8 * LOOK_SECONDS)
        until(lambda: min(several(address)) >= answered - uncounted and len(set(several(address))) == 1)
        told = decisions(address)
        assert told >= told_before
        assert answered - uncounted <= told <= answered + len(hammer.lost)


def several(address: str) -> list[int]:
    """Return what is told when several are asked, of whom each may be another worker."""
    return [decisions(address) for _ in range(4)]


def test_a_replacement_that_cannot_start_is_tried_again_while_the_others_answer(
    spam_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    monkeypatch.setenv("ASSAY_REQUEST_LOG", str(logs / "requests.jsonl"))
    with workers(spam_artifact, 2) as (address, process):
        assert httpx.get(f"{address}/health/ready").status_code == 200
        logs.rename(tmp_path / "away")
        os.kill(children(process)[0], signal.SIGKILL)
        read_until(process, "requests.jsonl")
        read_until(process, "died")
        assert httpx.post(f"{address}/predict", json={"text": "free prize"}).status_code == 200
        (tmp_path / "away").rename(logs)
        read_until(process, "startup complete")
        assert stop(process, signal.SIGTERM) == 0


def test_a_restart_replaces_every_worker_and_loses_no_request(spam_artifact: Path) -> None:
    with workers(spam_artifact, 2) as (address, process), hammering(address, 4) as hammer:
        before = set(children(process))
        process.send_signal(signal.SIGHUP)
        until(lambda: len(children(process)) == 2 and not before & set(children(process)))
        hammer.wait_for(20)
        hammer.ended.set()
        for thread in hammer.threads:
            thread.join(30)
        assert hammer.lost == []
        # A worker passes what it has added up on a quarter of a second later.
        until(lambda: decisions(address) == hammer.answered[200])
        assert stop(process, signal.SIGTERM) == 0


def test_workers_end_when_the_process_that_started_them_is_killed(spam_artifact: Path) -> None:
    with workers(spam_artifact, 2) as (address, process):
        orphans = children(process)
        process.kill()
        process.wait()
        until(lambda: not any(alive(pid) for pid in orphans))
        with pytest.raises(httpx.ConnectError):
            httpx.get(address)


def alive(pid: int) -> bool:
    """Return whether a process runs; one that nobody waits for is a zombie and does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("count", ["1", "2"])
def test_settings_that_no_worker_can_start_with_end_the_service(spam_artifact: Path, count: str) -> None:
    twice = f"{spam_artifact},{spam_artifact}"
    done = run("serve", "--port", "0", "--workers", count, "--models", twice)
    assert done.returncode == 1
    assert "names two folders for the task 'spam'" in done.stderr
    assert "Traceback" not in done.stderr


def certified(folder: Path) -> tuple[Path, Path, trustme.CA]:
    """Write a certificate for loopback and its key; return them with the authority that vouches."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return chain, key, authority


@pytest.mark.parametrize("count", ["1", "2"])
def test_https_is_served_with_a_certificate(
    spam_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    chain, key, authority = certified(tmp_path)
    monkeypatch.setenv("ASSAY_TLS_CERTIFICATE", str(chain))
    monkeypatch.setenv("ASSAY_TLS_KEY", str(key))
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with started("serve", "--port", "0", "--workers", count, "--models", str(spam_artifact)) as process:
        address = read_until(process, r"then (https://\S+) answers")[1]
        read_until(process, r"startup complete")
        answer = httpx.post(f"{address}/predict", json={"text": "free prize"}, verify=trusted)
        assert answer.json()["label"] == "spam"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(address)
        assert stop(process, signal.SIGTERM) == 0


def test_nothing_of_a_run_is_left_behind(
    spam_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving("--models", str(spam_artifact)) as (_, process):
        assert [path.name for path in tmp_path.glob("assay-run-*/*")] != []
        assert stop(process, signal.SIGTERM) == 0
    assert list(tmp_path.glob("assay-run-*")) == []


def weights_of(pid: int) -> set[tuple[str, str]]:
    """Return device and inode of the weights that a worker has mapped."""
    lines = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    return {(line[3], line[4]) for line in lines if len(line) > 5 and "/weights/" in line[5]}


def test_workers_share_their_weights_and_so_does_one_that_comes_later(
    spam_artifact: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(spam_artifact, folder)
    with workers(folder, 2) as (address, process):
        before = children(process)
        [shared] = weights_of(before[0])
        os.kill(before[1], signal.SIGKILL)
        read_until(process, r"startup complete")
        assert {shared} == weights_of(before[0]) == weights_of(children(process)[1])
        # Cut off while it answers: a mapping of this file would end the process.
        os.truncate(folder / "model.safetensors", 0)
        shutil.rmtree(folder)
        for _ in range(10):
            assert httpx.post(f"{address}/predict", json={"text": "free prize"}).json()["label"] == "spam"
        assert stop(process, signal.SIGTERM) == 0


def test_a_worker_hears_signals_from_its_first_moment_on(spam_artifact: Path) -> None:
    with started("serve", "--port", "0", "--workers", "2", "--models", str(spam_artifact)) as process:
        read_until(process, "Started parent process")
        until(lambda: len(children(process)) == 2)
        said = drained(process)
        assert stop(process, signal.SIGTERM) == 0
        assert "Traceback" not in "".join(said.to_the_end())


def test_what_a_killed_service_left_is_removed_by_the_next_and_a_living_one_keeps_its_own(
    spam_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def runs() -> set[Path]:
        return set(tmp_path.glob("assay-run-*"))

    with serving("--models", str(spam_artifact)) as (_, killed):
        left = runs()
        killed.kill()
        killed.wait()
    assert runs() == left != set()
    with serving("--models", str(spam_artifact)) as (_, first):
        own = runs()
        assert not own & left
        with serving("--models", str(spam_artifact)) as (_, second):
            assert len(runs()) == 2
            assert own < runs()
            assert stop(second, signal.SIGTERM) == 0
        assert stop(first, signal.SIGTERM) == 0
    assert runs() == set()
