"""compose.yaml: what it promises of every service; its files, settings and secrets exist and agree."""

import os
import re
import stat
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from assay.environment import read_settings
from assay.settings import Settings
from tests.contracts.sources import ROOT
from tests.stack import VARIABLE, composed, service

SERVICES: dict[str, dict[str, Any]] = composed()["services"]
ONCE = {"keys", "train", "backup"}
"""Services that do their work and end."""
LOOPBACK = {"8000": "nginx", "5000": "mlflow", "9090": "prometheus", "3000": "grafana"}
"""Ports that only this machine reaches."""


def secrets(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run deploy/secrets.sh over a folder."""
    environment = {**os.environ, "ASSAY_SECRETS": str(folder)}
    command = ["sh", str(ROOT / "deploy" / "secrets.sh"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def held(folder: Path) -> dict[str, str]:
    """Return what each file of a folder holds."""
    return {path.name: path.read_text(encoding="utf-8").strip() for path in folder.iterdir()}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_do_no_more_than_it_must(name: str) -> None:
    said = SERVICES[name]
    assert said["read_only"] is True
    assert said["cap_drop"] == ["ALL"]
    assert said["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in said
    limits = said["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    # What is mounted from the checkout is only read.
    mounts = [each.split(":") for each in said.get("volumes", [])]
    assert [each for each in mounts if each[0].startswith(".") and each[2:] != ["ro"]] == []
    assert not re.search(r":latest$", said["image"]) or "build" in said


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_whether_it_is_well_and_is_started_again(name: str) -> None:
    said = SERVICES[name]
    assert said["healthcheck"].get("disable", False) == (name in ONCE)
    again = {"keys": "on-failure", "train": "no", "backup": "no"}
    assert said["restart"] == again.get(name, "unless-stopped")


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_exists(name: str) -> None:
    needed = SERVICES[name].get("depends_on", {})
    for other, how in needed.items() if isinstance(needed, dict) else ((each, {}) for each in needed):
        condition = how.get("condition", "service_started")
        assert condition != "service_healthy" or "healthcheck" in SERVICES[other]
        assert (condition == "service_completed_successfully") == (other in ONCE)
        # What only a profile starts must not be missed without it.
        assert how.get("required", True) is ("profiles" not in SERVICES[other])


def test_ports_are_the_contract_and_only_tls_is_open_to_others() -> None:
    published = {port: name for name, said in SERVICES.items() for port in said.get("ports", [])}
    expected = {f"127.0.0.1:{port}:{port}": name for port, name in LOOPBACK.items()}
    assert published == {**expected, "8443:8443": "nginx"}


def test_files_that_are_mounted_exist() -> None:
    mounted = {each.split(":")[0] for said in SERVICES.values() for each in said.get("volumes", [])}
    paths = {each for each in mounted if each.startswith("./")} - {"./rows"}
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert {each for each in mounted if not each.startswith(".")} == set(composed()["volumes"])


def test_settings_are_those_that_the_service_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert secrets(tmp_path / "secrets").returncode == 0
    read = {}
    for name, said in SERVICES.items():
        given = {k: v for k, v in said.get("environment", {}).items() if k.startswith("ASSAY_")}
        with monkeypatch.context() as patch:
            for key in [key for key in os.environ if key.startswith("ASSAY_")]:
                patch.delenv(key)
            for key, value in given.items():
                there = VARIABLE.sub(r"\2", str(value)).replace("/run/secrets", str(tmp_path / "secrets"))
                patch.setenv(key, there)
            read[name] = read_settings()
    assert read["api-1"] == read["api-2"]
    assert read["api-1"].database == "sqlite:////app/data/assay.db"
    assert read["api-1"].redis.endswith("@redis:6379/0")
    nginx = service("nginx")["networks"]["back"]["ipv4_address"]
    assert read["api-1"].trusted_proxies == nginx
    assert read["train"].tracking_uri == "http://mlflow:5000"


def test_replicas_have_the_addresses_that_nginx_is_told() -> None:
    text = (ROOT / "deploy/nginx/nginx.conf").read_text(encoding="utf-8")
    told = re.findall(r"^ *server ([\d.]+):8000 ", text, flags=re.MULTILINE)
    assert told == [service(name)["networks"]["back"]["ipv4_address"] for name in ("api-1", "api-2")]
    [pool] = composed()["networks"]["back"]["ipam"]["config"]
    others = ip_network(pool["ip_range"])
    fixed = [*told, service("nginx")["networks"]["back"]["ipv4_address"]]
    assert all(ip_address(each) in ip_network(pool["subnet"]) for each in fixed)
    # What is given out to others in the meantime could not be had back.
    assert not any(ip_address(each) in others for each in fixed)


def test_nginx_allows_what_the_service_allows() -> None:
    text = (ROOT / "deploy/nginx/nginx.conf").read_text(encoding="utf-8")
    defaults = Settings()
    assert f"client_max_body_size {defaults.max_body_bytes};" in text
    [uploads] = re.findall(r"client_max_body_size (\d+)m;", text)
    assert 1 <= int(uploads) - defaults.max_upload_bytes / 2**20 < 2
    assert int(re.findall(r"\n    proxy_read_timeout (\d+)s;", text)[0]) > defaults.encoder_deadline_seconds
    # 65 s is how long the service keeps an idle connection.
    assert "keepalive_timeout 60s;" in text
    stop = defaults.drain_seconds + defaults.stop_seconds
    for name in ("api-1", "api-2", "nginx"):
        assert int(service(name)["stop_grace_period"].removesuffix("s")) > stop


def test_every_secret_is_made_and_is_somebodys(tmp_path: Path) -> None:
    done = secrets(tmp_path / "new")
    assert done.returncode == 0, done.stderr
    named = {name: Path(said["file"]).name for name, said in composed()["secrets"].items()}
    assert set(named) == set(named.values()) == set(held(tmp_path / "new"))
    assert {name for said in SERVICES.values() for name in said.get("secrets", [])} == set(named)
    assert all(str(Path(said["file"]).parent) == "deploy/secrets" for said in composed()["secrets"].values())
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()} == {0o444}


def test_secrets_that_are_there_stay(tmp_path: Path) -> None:
    secrets(tmp_path, "--host", "assay.example")
    before = held(tmp_path)
    (tmp_path / "grafana_password").unlink()
    again = secrets(tmp_path)
    assert (again.returncode, again.stdout) == (0, "made grafana_password\n")
    after = held(tmp_path)
    assert after.pop("grafana_password") != before.pop("grafana_password")
    assert after == before
    shown = ["openssl", "x509", "-in", str(tmp_path / "tls_certificate"), "-noout", "-ext", "subjectAltName"]
    names = subprocess.run(shown, capture_output=True, text=True, check=True).stdout
    assert "DNS:assay.example, DNS:localhost, IP Address:127.0.0.1" in names


def test_stores_follow_the_profiles_and_are_not_changed_under_their_data(tmp_path: Path) -> None:
    assert secrets(tmp_path, "postgres", "s3").returncode == 0
    made = held(tmp_path)
    server = f"assay:{made['postgres_password']}@postgres:5432/assay"
    assert made["database"] == f"postgresql://{server}"
    assert made["mlflow_store"] == f"postgresql+psycopg://{server}"
    assert made["mlflow_artifacts"] == "s3://mlflow"
    refused = secrets(tmp_path)
    assert (refused.returncode, held(tmp_path)) == (1, made)
    assert "database names another store than this command asks for" in refused.stderr
    assert secrets(tmp_path, "mysql").returncode == 2


def test_prometheus_asks_the_replicas_and_differs_in_nothing_else() -> None:
    own, example = (
        yaml.safe_load((ROOT / "deploy/prometheus" / name).read_text(encoding="utf-8"))
        for name in ("replicas.yml", "prometheus.yml")
    )
    assert own["scrape_configs"][0]["static_configs"] == [{"targets": ["api-1:8000", "api-2:8000"]}]
    assert {k: v for k, v in own.items() if k != "scrape_configs"} == {
        k: v for k, v in example.items() if k != "scrape_configs"
    }
    key = own["scrape_configs"][0]["authorization"]["credentials_file"]
    assert f"keys:{Path(key).parent}:ro" in service("prometheus")["volumes"]
