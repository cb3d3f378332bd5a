"""What the service asks can be asked over TLS, and another authority's certificate is refused."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from assay.doctor_service import redis as look_at_redis
from assay.settings import Settings
from tests.servers import free_port, redis_missing


@pytest.fixture
def secure_redis(tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis that speaks TLS alone, without its authority."""
    if reason := redis_missing():
        pytest.skip(reason)
    ca, port = trustme.CA(), free_port()
    issued = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(tmp_path / "own.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    command = ["redis-server", "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += [
        "--tls-cert-file",
        str(tmp_path / "server.pem"),
        "--tls-key-file",
        str(tmp_path / "server.pem"),
    ]
    command += ["--tls-auth-clients", "no", "--requirepass", "hunter2", "--dir", str(tmp_path)]
    setpriv = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with (tmp_path / "redis.log").open("wb") as log:
        process = subprocess.Popen([*setpriv, *command], stdout=log, stderr=log)
    try:
        end = time.monotonic() + 60
        while b"Ready to accept connections" not in (tmp_path / "redis.log").read_bytes():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        yield f"rediss://:hunter2@127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def test_redis_is_asked_over_tls_and_its_certificate_is_checked(secure_redis: str, tmp_path: Path) -> None:
    [trusted] = look_at_redis(Settings(redis=f"{secure_redis}?ssl_ca_certs={tmp_path}/own.pem"))
    assert (trusted.level, trusted.what.split("?")[0]) == (
        "ok",
        f"redis rediss://***@{secure_redis.split('@')[1]}",
    )
    [other] = look_at_redis(Settings(redis=f"{secure_redis}?ssl_ca_certs={tmp_path}/other.pem"))
    assert other.level == "BAD"
    [plain] = look_at_redis(Settings(redis=secure_redis.replace("rediss:", "redis:")))
    assert plain.level == "BAD"
