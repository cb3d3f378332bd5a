"""Alerts from end to end: a real service, a real Prometheus that scrapes it, and real faults."""

import re
import signal
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from docs import watching
from tests.moving import Mover, damage
from tests.running import drained, serving
from tests.servers import prometheus_missing, prometheus_server

DEPLOYED = watching.DEPLOY / "prometheus" / "prometheus.yml"
PATIENCE_SECONDS = 90.0


def hurried(folder: Path, target: str) -> Path:
    """Return the deployed configuration for a service under test, with alerts that wait a second."""
    rules = re.sub(r"\bfor: \d+\w", "for: 1s", watching.RULES.read_text(encoding="utf-8"))
    (folder / watching.RULES.name).write_text(rules, encoding="utf-8")
    config = yaml.safe_load(DEPLOYED.read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return folder / "prometheus.yml"


class Watch:
    """A Prometheus, asked for its alerts."""

    def __init__(self, address: str) -> None:
        self.address = address

    def firing(self) -> dict[str, dict[str, Any]]:
        """Return the alerts that fire, by name."""
        alerts = httpx.get(f"{self.address}/api/v1/alerts").json()["data"]["alerts"]
        return {each["labels"]["alertname"]: each for each in alerts if each["state"] == "firing"}

    def wait_for(self, names: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the alerts that fire as soon as these are all of them."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while set(found := self.firing()) != set(names) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert set(found) == set(names)
        return found

    def wait_until_scraped(self) -> None:
        """Return as soon as the service was scraped twice."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        asked = {"query": "count_over_time(assay_workers[1m]) >= 2 and on (job) up{job='assay'} == 1"}
        while time.monotonic() < deadline:
            if httpx.get(f"{self.address}/api/v1/query", params=asked).json()["data"]["result"]:
                return
            time.sleep(0.1)
        pytest.fail("the service was not scraped")


@pytest.fixture
def damaged(mover: Mover) -> Iterator[Mover]:
    """A registry whose second version is damaged; its files are those of other tests, so they are mended."""
    weights = mover.weights("2")
    intact = damage(weights)
    yield mover
    weights.write_bytes(intact)


@pytest.mark.skipif(bool(prometheus_missing()), reason=prometheus_missing() or "it is there")
def test_faults_of_a_service_fire_the_alerts_that_tell_of_them(
    damaged: Mover, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = damaged.settings.home
    monkeypatch.setenv("ASSAY_HOME", str(home))
    monkeypatch.setenv("ASSAY_POLL_SECONDS", "0.3")
    with serving(patience=10 * PATIENCE_SECONDS) as (address, process):
        drained(process)
        target = urlsplit(address).netloc
        with prometheus_server(tmp_path, hurried(tmp_path, target)) as prometheus:
            watch = Watch(prometheus)
            watch.wait_until_scraped()
            httpx.post(f"{address}/v1/tasks/spam/predict", json={"text": "free prize"}).raise_for_status()
            # A scrape that a busy machine answers late may have fired one for a moment.
            watch.wait_for(())

            damaged.put_alias("2")
            refused = {"AssayVersionNotServed", "AssaySwapRefused"}
            found = watch.wait_for(refused)
            assert found["AssaySwapRefused"]["labels"]["task"] == "spam"
            assert target in found["AssayVersionNotServed"]["annotations"]["summary"]

            (home / "mlflow.db").rename(home / "gone.db")
            watch.wait_for(refused | {"AssayRegistrySilent"})

            (home / "gone.db").rename(home / "mlflow.db")
            watch.wait_for(refused)

            process.send_signal(signal.SIGKILL)
            [down] = watch.wait_for({"AssayDown", "AssaySwapRefused"}).keys() - {"AssaySwapRefused"}
            assert down == "AssayDown"
