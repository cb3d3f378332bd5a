"""The programs that measure speed: what they read from others, and what their tables say."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.estimators import load_artifact
from benchmarks import (
    contenders,
    memory,
    processes,
    profile,
    score,
    score_files,
    serve,
    serve_tables,
    servers,
    speed_tables,
    start,
    subject,
    train,
    wrk,
)
from benchmarks.contenders import CONSTANT, Contender
from benchmarks.intervals import over_rounds, ratio_over_rounds
from benchmarks.markdown import spread
from benchmarks.rules import fifty
from benchmarks.sampling import Sampling
from benchmarks.subject import Row
from tests.contracts.sources import ROOT

ARTIFACT = ROOT / "tests" / "artifacts" / "v1" / "words-and-characters"
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


def test_ratios_are_taken_within_a_round() -> None:
    assert ratio_over_rounds([10, 100, 60], [5, 50, 20]) == {"median": 2, "low": 2, "high": 3, "rounds": 3}
    assert over_rounds([3, 1, 2]) == {"median": 2, "low": 1, "high": 3, "rounds": 3}


def test_one_round_has_no_interval() -> None:
    assert spread(over_rounds([1234.5])) == "1,234"
    assert spread(over_rounds([2.0, 4.0, 9.0]), ".1f") == "4.0 (2.0 to 9.0)"
    assert spread(over_rounds([2e6, 4e6]), ".0f", 1e6) == "3 (2 to 4)"


def test_memory_is_what_the_kernel_says() -> None:
    rollup = (
        "55d0-7ffe ---p 00000000 00:00 0  [rollup]\nRss:    9000 kB\nPss:    5120 kB\nPss_Anon:   10 kB\n"
    )
    assert processes.parsed_pss(rollup) == 5120 * 1024
    assert processes.parsed_pss("") == 0


def test_a_process_and_all_below_it_are_counted() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as made:
        while len(found := list(processes.tree(made.pid))) < 2:
            pass
        assert found[0] == made.pid
        assert processes.memory_of(made.pid) > processes.pss(made.pid) > 0
        assert processes.processor_of(made.pid) >= 0
        made.communicate(b"\n")
    assert list(processes.tree(made.pid)) == [made.pid]
    assert processes.memory_of(made.pid) == processes.processor_of(made.pid) == 0


def test_the_largest_memory_is_that_of_the_command_alone() -> None:
    here = bytearray(64 * 1024 * 1024)
    seconds, small, output = processes.used([sys.executable, "-S", "-c", "print('done')"])
    _, large, _ = processes.used([sys.executable, "-S", "-c", "b'x' * 50_000_000"])
    assert (output.strip(), seconds > 0) == ("done", True)
    assert small < 50_000_000 < large < small + 60_000_000
    del here


def test_a_command_that_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match="ended with 3: why"):
        processes.used([sys.executable, "-c", "import sys; sys.stderr.write('why'); sys.exit(3)"])


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
    python = tmp_path / "work" / "peers" / "small" / "bin" / "python"
    python.parent.mkdir(parents=True)
    names = ["floor-two", "floor-one", "floor-none"]
    assert contenders.peers(names, tmp_path / "work", {}, folder=tmp_path / "bench") == []
    assert "run: python -m benchmarks.contenders" in capsys.readouterr().err
    python.touch()
    two, one = contenders.peers(names, tmp_path / "work", {}, folder=tmp_path / "bench")
    assert capsys.readouterr().err == "Not measured: floor-none.\n"
    bin_folder = tmp_path / "work" / "peers" / "small" / "bin"
    model = tmp_path / "work" / "model" / "pipeline.joblib"
    assert one.command == [
        f"{bin_folder}/serve",
        "--port",
        "{port}",
        str(model),
        str(tmp_path / "bench" / "floor"),
    ]
    assert one.environment["WHERE"] == f"{tmp_path}/work/x:{{port}}"
    assert (two.environment["TWO"], two.before) == ("floor-two", [f"{bin_folder}/write", "{port}"])
    assert one.body("text") == {"inputs": ["text"]}
    assert not list((tmp_path / "bench").rglob("__pycache__"))


def test_without_the_peers_their_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert contenders.peers(["floor-one"], tmp_path, {}, folder=tmp_path / "none") == []
    said = capsys.readouterr().err
    assert f"there is no {tmp_path / 'none'}" in said
    assert "Not measured: floor-one." in said


def test_requests_are_texts_that_no_rule_decides() -> None:
    rules = fifty("raw", ("negative", "positive"))
    assert {rule.label for rule in rules.active} == {"positive"}
    plain = [f"a film about number {number}" for number in range(40)]
    decided = ["Please confirm your identity", "  "]
    found = subject.drawn([*plain, *decided], rules, count=100)
    assert sorted(found) == sorted(plain)
    assert found == subject.drawn([*plain, *decided], rules, count=100) != plain
    assert subject.drawn(plain, rules, count=5) == subject.drawn(plain, rules, count=100)[:5]


def test_a_rule_has_the_worth_that_it_has_on_the_texts() -> None:
    rules = fifty("raw", ("negative", "positive"))
    found = subject.worth(
        rules, ["please confirm your identity"] * 4 + ["a film"], ["positive"] * 3 + ["negative"] * 2
    )
    hits = [each for each in found.values() if each["hits"]]
    assert [(each["hits"], each["right"]) for each in hits] == [(4, 3)]
    assert 0 < hits[0]["low"] < 0.75
    assert len(found) == 50


def test_single_texts_and_batches_are_timed() -> None:
    cascade = load_artifact(ARTIFACT)
    plain = score.without_rules(cascade)
    assert not plain.rules.active
    ways: dict[str, score.Decide] = {"assay": cascade.decide, "scikit-learn": plain.decide}
    texts = [f"a free prize number {number}" for number in range(20)]
    found = score.singles(ways, texts, rounds=3)
    assert found["ways"]["assay"]["median"]["rounds"] == 3
    assert found["ways"]["assay"]["quickest"]["median"] <= found["ways"]["assay"]["median"]["high"]
    assert list(found["ratios"]) == ["assay"]
    batches = score.in_batches(ways, texts, rounds=2)
    assert batches["ways"]["assay"]["2"]["low"] > 0
    assert score.cut([5, 1, 3, 2], 0.99) == 5


def test_files_have_as_many_rows_as_they_are_to_have(tmp_path: Path) -> None:
    score_files.write(tmp_path / "rows.csv", ['say "so"', "two\nlines"], 5)
    import csv

    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ['say "so"', "two\nlines", 'say "so"', "two\nlines", 'say "so"']


def test_a_file_is_scored_by_both(tmp_path: Path) -> None:
    import joblib
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = ["free prize", "call now", "see you", "lunch then"], ["spam", "spam", "ham", "ham"]
    subject.pipeline_in(tmp_path).parent.mkdir()
    joblib.dump(
        make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels),
        subject.pipeline_in(tmp_path),
    )
    one: Any = SimpleNamespace(folder=ARTIFACT)
    found = score_files.scored_files(one, tmp_path, texts, rows=20, rounds=1)
    assert (found["rows"], found["more"]["rows"]) == (20, 80)
    assert all(each["memory"]["median"] > 20e6 for each in found["ways"].values())
    results = {"score": {"files": found}}
    assert "`assay score`" in speed_tables.score_files(results)


@pytest.mark.parametrize("library", train.LIBRARIES)
@pytest.mark.parametrize("model", sorted(train.MODELS))
def test_both_libraries_fit_the_same_model(library: str, model: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = [("good", "positive"), ("bad", "negative")]
    rows = [(f"a {word} film, take {number % 3} !", label) for number in range(24) for word, label in words]
    made = pa.table({"text": [text for text, _ in rows], "label": [label for _, label in rows]})
    for side in ("train", "test"):
        pq.write_table(made, tmp_path / f"imdb_{side}.parquet")
    found = train.fitted(library, model, tmp_path)
    assert (found["accuracy"]["hits"], found["accuracy"]["of"]) == (48, 48)
    assert found["seconds"] > 0


def test_the_gain_of_a_further_worker_is_that_of_the_totals() -> None:
    found = memory.summary({1: [100, 110], 2: [150, 165], 3: [200, 230]})
    assert (found["first"]["median"], found["further"]["low"], found["further"]["high"]) == (105, 50, 60)


def test_a_moment_belongs_to_the_innermost_file_that_is_known() -> None:
    stack = [
        "/usr/lib/python3.11/re/__init__.py:search",
        "/x/src/assay/estimators/linear.py:LinearModel.logits",
        "/x/src/assay/estimators/cascade.py:Cascade.judge",
        "/x/site-packages/starlette/routing.py:app",
    ]
    assert profile.part_of(stack) == "model"
    assert profile.part_of(stack[2:]) == "decision"
    assert profile.part_of(stack[3:]) == "Starlette, FastAPI, pydantic"
    assert profile.part_of(stack[:1]) == profile.OTHER
    found = profile.summary([(stack, 3), (stack[2:], 1)], 100, [0.02, 0.01, 0.01])
    assert found["parts"] == {"model": 150.0, "decision": 50.0}
    assert (found["main_thread"], found["other_threads"]) == (200.0, 200.0)


def test_every_known_part_is_a_path_of_this_package() -> None:
    own = [path for paths in profile.PARTS.values() for path in paths if path.startswith("/assay/")]
    for path in own:
        assert (ROOT / "src" / path.strip("/")).exists(), path


def test_a_stack_is_noted_from_within() -> None:
    sampling = Sampling()
    sampling.tick(0, sys._getframe())
    [(stack, count)] = sampling.told()
    assert count == 1
    assert stack[0].endswith("test_speed_benchmarks.py:test_a_stack_is_noted_from_within")


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


def test_a_start_is_held_against_the_others() -> None:
    found = start.against_assay({"assay": [2.0, 3.0], CONSTANT: [1.0, 1.5]})
    assert list(found) == [CONSTANT]
    assert found[CONSTANT]["median"] == 2.0


def test_no_request_failed_and_every_answer_was_that_of_the_pipeline() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "serve.json").read_text(encoding="utf-8"))
    assert measured["settings"]["tolerance"] == 1e-6
    assert measured["subject"]["rules"] == 50
    assert {cell["errors"] for each in measured["rounds"] for cell in each["cells"]} == {0}
    assert {"assay", CONSTANT} <= {cell["server"] for each in measured["rounds"] for cell in each["cells"]}


def test_a_fit_is_as_accurate_as_that_of_scikit_learn() -> None:
    measured = json.loads((ROOT / "benchmarks" / "results" / "train.json").read_text(encoding="utf-8"))
    for found in measured["models"].values():
        ours, theirs = (found["libraries"][library]["accuracy"]["share"] for library in train.LIBRARIES)
        assert abs(ours - theirs) < 0.001


def test_the_documentation_names_every_program_of_speed() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert set(re.findall(r"benchmarks\.(\w+)", page)) >= {
        "contenders",
        "memory",
        "profile",
        "score",
        "serve",
        "start",
        "train",
    }
