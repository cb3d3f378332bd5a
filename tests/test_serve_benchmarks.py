"""Servers side by side: what wrk tells, processes that are asked and checked, and the tables."""

import json
import shutil
import socket
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    contenders,
    serve,
    serve_tables,
    servers,
    wrk,
)
from benchmarks.contenders import CONSTANT, Contender
from benchmarks.subject import Row
from tests.contracts.sources import ROOT

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


def corrected(raw: dict[int, int], expected: int) -> list[tuple[int, int]]:
    """Return a histogram as ``stats_correct`` of wrk 4.1.0 leaves it."""
    counts = Counter(raw)
    for value in range(2 * expected, max(raw) + 1):
        count, shorter = counts[value], value - expected
        while count and shorter > expected:
            counts[shorter] += count
            shorter -= expected
    return sorted((value, count) for value, count in counts.items() if count)


@pytest.mark.parametrize("expected", [1, 7, 100, 5_000])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_latencies_are_those_before_wrk_corrected_them(expected: int, seed: int) -> None:
    drawn = np.random.default_rng(seed).lognormal(6, 0.5, size=200).astype(int) + 1
    raw = dict(Counter(drawn.tolist()))
    told = corrected(raw, expected)
    assert sum(count for _, count in told) > 200 or expected == 5_000
    assert wrk.raw(told, expected) == raw


def test_nothing_is_taken_back_where_nothing_was_corrected() -> None:
    assert wrk.raw([(5, 2), (900, 1)], 0) == {5: 2, 900: 1}


def test_the_output_of_wrk_is_read() -> None:
    result = {"requests": 8, "microseconds": 4000, "errors": 1, "histogram": [[900, 7], [25000, 1]]}
    output = f"Running 1s test\nRESULT\t{json.dumps(result)}\n"
    load = wrk.parsed(output, 16)
    assert (load.requests, load.errors, load.rate, load.stalls) == (8, 1, 2_000, 1)
    assert load.summary() == {
        "rate": 2_000,
        "p50": 0.9,
        "p99": 25.0,
        "p999": 25.0,
        "max": 25.0,
        "stalls": 1,
        "errors": 1,
    }


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("unable to connect to 127.0.0.1:1", "no result: 'unable to connect"),
        (
            'RESULT\t{"requests": 9, "microseconds": 4000, "errors": 0, "histogram": [[900, 7]]}\n',
            "9 answers",
        ),
    ],
)
def test_wrk_without_a_result_is_refused(output: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wrk.parsed(output, 16)


def test_a_percentile_is_what_a_share_does_not_exceed() -> None:
    histogram = {10: 98, 20: 1, 30: 1}
    assert [wrk.percentile(histogram, share) for share in (0.5, 0.98, 0.99, 1.0)] == [10, 10, 20, 30]
    assert wrk.percentile({}, 0.5) == 0


def test_without_wrk_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="apt-get install wrk"):
        wrk.check_installed()


def contender(**more: Any) -> Contender:
    """Return a server that answers a label and a probability."""
    program = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        good = self.headers["X-Who"] == "me"
        body = json.dumps({"label": "a", "probability": 0.75}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
    values: dict[str, Any] = {
        "name": "constant",
        "command": [sys.executable, "-c", program.replace("{", "{{").replace("}", "}}"), "{port}"],
        "path": "/predict",
        "sets": {"long": [Row("some text", "a", 0.75), Row("another", "a", 0.75)]},
        "headers": {"X-Who": "me"},
    }
    return Contender(**{**values, **more})


def test_a_server_is_started_asked_checked_and_stopped(tmp_path: Path) -> None:
    with servers.running(contender(), tmp_path) as server:
        assert 0 < server.wait() < servers.START_SECONDS
        assert server.check() == 0
        port = server.port
    assert server.process.returncode is not None
    with socket.socket() as again:
        assert again.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize(
    ("row", "given"),
    [(Row("t", "b", 0.75), "'a', 0.75, not 'b'"), (Row("t", "a", 0.750002), "not 'a', 0.750002")],
)
def test_another_answer_than_the_expected_ends_the_run(row: Row, given: str) -> None:
    answer = {"label": "a", "probability": 0.75}
    with pytest.raises(ValueError, match=given):
        servers.difference(contender(), answer, row)
    assert servers.difference(contender(checked=False), answer, row) == 0
    assert servers.difference(contender(), answer, Row("t", "a", 0.7500001)) == pytest.approx(1e-7)


def test_a_server_that_ends_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit(1)"]
    with (
        servers.running(contender(command=command), tmp_path) as server,
        pytest.raises(RuntimeError, match="constant did not start"),
    ):
        server.wait()


@needs_wrk
def test_a_server_is_loaded_and_failures_end_the_run(tmp_path: Path) -> None:
    with servers.running(contender(), tmp_path) as server:
        server.wait()
        cell = serve.loaded(server, serve.written(server.contender, "long", tmp_path), 4, 1.0)
        assert cell["requests"] > 10
        assert 0 < cell["p50"] <= cell["p99"] <= cell["max"]
    with servers.running(contender(headers={"X-Who": "me"}), tmp_path) as server:
        server.wait()
        stranger = servers.Server(contender(headers={}), server.process, server.port, server.started)
        with pytest.raises(RuntimeError, match="requests to constant failed"):
            serve.loaded(stranger, serve.written(stranger.contender, "long", tmp_path), 4, 1.0)


def test_the_order_rotates() -> None:
    three = [contender(name=name) for name in "abc"]
    assert ["".join(each.name for each in serve.rotated(three, number)) for number in range(4)] == [
        "abc",
        "bca",
        "cab",
        "abc",
    ]


PEER = """
VENV = "small"
SHOW = ["pip"]
ENV = {"WHERE": "{work}/x:{port}"}
def body(text):
    return {"inputs": [text]}
def parse(answer):
    return answer["label"], answer["probability"]
VARIANTS = {
    "floor-one": {"cmd": ["{bin}/serve", "--port", "{port}", "{model}", "{here}"], "path": "/p"},
    "floor-two": {"cmd": ["{bin}/serve"], "path": "/q", "env": {"TWO": "{variant}"},
                  "prepare_start": ["{bin}/write", "{port}"]},
}
"""


def test_peers_are_read_from_their_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bench" / "floor").mkdir(parents=True)
    (tmp_path / "bench" / "floor" / "peer.py").write_text(PEER)
    python = tmp_path / "made" / "peers" / "small" / "bin" / "python"
    python.parent.mkdir(parents=True)
    names = ["floor-two", "floor-one", "floor-none"]
    assert contenders.peers(names, tmp_path / "made", {}, folder=tmp_path / "bench") == []
    assert "run: python -m benchmarks.contenders" in capsys.readouterr().err
    python.touch()
    two, one = contenders.peers(names, tmp_path / "made", {}, folder=tmp_path / "bench")
    assert capsys.readouterr().err == "Not measured: floor-none.\n"
    bin_folder = tmp_path / "made" / "peers" / "small" / "bin"
    model = tmp_path / "made" / "model" / "pipeline.joblib"
    assert one.command == [
        f"{bin_folder}/serve",
        "--port",
        "{port}",
        str(model),
        str(tmp_path / "bench" / "floor"),
    ]
    assert one.environment["WHERE"] == f"{tmp_path}/made/x:{{port}}"
    assert (two.environment["TWO"], two.before) == ("floor-two", [f"{bin_folder}/write", "{port}"])
    assert one.body("text") == {"inputs": ["text"]}
    assert not list((tmp_path / "bench").rglob("__pycache__"))


def test_without_the_peers_their_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert contenders.peers(["floor-one"], tmp_path, {}, folder=tmp_path / "none") == []
    said = capsys.readouterr().err
    assert f"there is no {tmp_path / 'none'}" in said
    assert "Not measured: floor-one." in said


def cells(rates: dict[str, float]) -> list[dict[str, Any]]:
    """Return the cells of a round."""
    return [
        {
            "server": name,
            "set": kind,
            "connections": 16,
            "rate": rate,
            "p50": 1.0,
            "p99": 3.5,
            "processor_us": 70.0,
            "cores": {"others": 0.1},
        }
        for name, rate in rates.items()
        for kind in ("long", "short")
    ]


def test_the_table_of_servers_has_ratios_to_the_constant() -> None:
    rounds = [
        {"cells": cells({"assay": 1_000, CONSTANT: 800})},
        {"cells": cells({"assay": 1_200, CONSTANT: 1_000})},
    ]
    settings = {"connections": [16], "rounds": 2, "seconds": 5.0}
    results = {
        "serve": {
            "rounds": rounds,
            "settings": settings,
            "subject": {"mean_bytes": {"long": 1300, "short": 80}},
        }
    }
    lines = serve_tables.serve(results, "long").splitlines()
    assert (
        lines[2]
        == "| Assay, 1 worker | 1,100 (1,000 to 1,200) | 1.23 (1.20 to 1.25) | 1.00, 3.50 | 70 (70 to 70) |"
    )
    assert len(lines) == 4
    assert "2 rounds of 5 s" in serve_tables.serve_noise(results)
    assert "Not measured" in serve_tables.stalls(results)


def test_stalls_are_summed() -> None:
    cell = {"requests": 1_000, "max": 25.0, "stalls": 2, "cores": {"others": 0.2}}
    results = {"serve": {"stalls": {"seconds": 300, "servers": {"assay": [cell, cell], CONSTANT: [cell]}}}}
    assert "5 minutes each" in serve_tables.stalls(results)
    assert "| Assay, 1 worker | 2,000 | 4 | 25.0 ms | 0.20 (0.20 to 0.20) |" in serve_tables.stalls(results)


def test_no_request_failed_and_every_answer_was_that_of_the_pipeline() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "serve.json").read_text(encoding="utf-8"))
    assert measured["settings"]["tolerance"] == 1e-6
    assert measured["subject"]["rules"] == 50
    assert {cell["errors"] for each in measured["rounds"] for cell in each["cells"]} == {0}
    assert {"assay", CONSTANT} <= {cell["server"] for each in measured["rounds"] for cell in each["cells"]}
