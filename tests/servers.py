"""Real servers on loopback for tests: MLflow's tracking server, PostgreSQL, Redis and Prometheus."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import redis

POSTGRES = Path("/usr/lib/postgresql/15/bin")
START_SECONDS = 600
"""A tracking server imports MLflow several times; on a busy machine that has taken 100 seconds."""


def free_port() -> int:
    """Return a TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Run an MLflow server on sqlite with proxied artifacts, both under a folder; yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    uri = f"http://127.0.0.1:{port}"
    with running(command, folder / "server.log", env=os.environ | quiet) as process:
        wait_for(
            lambda: httpx.get(f"{uri}/health").is_success, process, folder / "server.log", httpx.HTTPError
        )
        yield uri


def postgres_missing() -> str:
    """Return why PostgreSQL cannot be run here; empty when it can."""
    if not (POSTGRES / "initdb").exists():
        return f"PostgreSQL 15 is not installed: no {POSTGRES}/initdb"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "PostgreSQL does not run as root, and there is no user 'postgres'"
        if shutil.which("setpriv") is None:
            return "PostgreSQL does not run as root, and there is no setpriv to change the user with"
    return ""


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a PostgreSQL of its own in a temporary folder; yield its URI, with password."""
    with postgres_cluster() as run, run() as uri:
        yield uri


@contextmanager
def postgres_cluster(
    secret: str = "s3cret-of-the-test", port: int | None = None
) -> Iterator[Callable[[], AbstractContextManager[str]]]:
    """Make a PostgreSQL's data in a temporary folder; yield what runs it, as often as it is asked to."""
    folder = Path(tempfile.mkdtemp(prefix="assay-postgres-"))
    port, data, password = port or free_port(), folder / "data", folder / "password"
    password.write_text(secret)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        shutil.chown(password, "postgres", "postgres")
    initdb = [str(POSTGRES / "initdb"), "-D", str(data), "-U", "assay", "-A", "scram-sha-256"]
    initdb += ["--pwfile", str(password), "--no-sync", "--encoding", "UTF8", "--locale", "C.UTF-8"]
    server = [str(POSTGRES / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder)]
    server += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    # In its folder: of a server that is killed, what lies in the machine's memory would stay there.
    server += ["-c", "dynamic_shared_memory_type=mmap"]
    uri = f"postgresql://assay:{secret}@127.0.0.1:{port}/postgres"

    @contextmanager
    def run() -> Iterator[str]:
        with running(_unprivileged(server), folder / "server.log", cwd=folder) as process:
            wait_for(lambda: _answers(uri), process, folder / "server.log", psycopg.OperationalError)
            yield uri

    try:
        subprocess.run(_unprivileged(initdb), cwd=folder, check=True, capture_output=True)
        yield run
    finally:
        shutil.rmtree(folder)


def redis_missing() -> str:
    """Return why Redis cannot be run here; empty when it can."""
    return "" if shutil.which("redis-server") else "Redis is not installed: no redis-server"


@contextmanager
def redis_server(folder: Path, port: int | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a Redis that keeps nothing on disk; yield its URL, with password, and its process."""
    port, password = port or free_port(), "s3cret-of-the-test"
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--requirepass", password]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    url = f"redis://:{password}@127.0.0.1:{port}/0"

    def answers() -> bool:
        with redis.Redis.from_url(url) as client:
            return bool(client.ping())

    with running(command, folder / "redis.log") as process:
        wait_for(answers, process, folder / "redis.log", redis.RedisError)
        yield url, process


def prometheus_missing() -> str:
    """Return why Prometheus cannot be run here; empty when it can."""
    return "" if shutil.which("prometheus") else "Prometheus is not installed: no prometheus"


@contextmanager
def prometheus_server(folder: Path, config: Path, port: int | None = None) -> Iterator[str]:
    """Run a Prometheus with a configuration and its store under a folder; yield its address."""
    port = port or free_port()
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'store'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
    address, log = f"http://127.0.0.1:{port}", folder / "prometheus.log"
    with running(command, log) as process:
        wait_for(lambda: httpx.get(f"{address}/-/ready").is_success, process, log, httpx.HTTPError)
        yield address


def _unprivileged(command: list[str]) -> list[str]:
    if os.geteuid() != 0:
        return command
    change = ["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    # Said again: who changes the user forgets it.
    return ["setpriv", *change, "--pdeathsig", "INT", *command]


def _mortal() -> list[str]:
    """Return what ends a server with the process that started it: one that is killed ends nothing itself."""
    return ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []


def _answers(uri: str) -> bool:
    with psycopg.connect(uri, connect_timeout=5):
        return True


@contextmanager
def running(
    command: list[str], log: Path, *, env: dict[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server during the block, what it says in a file, and end it with all that it started."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_mortal(), *command], stdout=output, stderr=output, env=env, cwd=cwd, start_new_session=True
        )
    try:
        yield process
    finally:
        # Both servers have children; SIGINT is PostgreSQL's fast shutdown.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, silent: type[Exception]
) -> None:
    """Return once a server is ready; raises RuntimeError with what it said last where it ends before."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if ready():
                return
        except silent:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"The server did not start:\n{log.read_text(errors='replace')[-2000:]}")
