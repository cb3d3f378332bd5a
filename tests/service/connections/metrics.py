"""What a service counts some time after it has answered."""

import time

import httpx

PATIENCE_SECONDS = 30


def wait_for_metric(address: str, line: str) -> None:
    """Wait until the metrics have a line: refusals are added up and counted some time later."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while line not in (metrics := httpx.get(f"{address}/metrics").text):
        assert time.monotonic() < deadline, metrics
        time.sleep(0.02)
