"""What a version costs: times by a clock of the test, memory and loading in a real process."""

import io
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.estimators import Cascade, attach_report, load_artifact, read_manifest
from assay.evaluation import Cost, measure_cost
from assay.evaluation import cost as module
from assay.evaluation import footprint as footprints
from assay.evaluation.cost import this_machine
from assay.evaluation.footprint import answer, measure_footprint
from assay.exceptions import ArtifactError

TEXTS = [f"text {number}" for number in range(30)]

HOARDING = """
from assay.evaluation import footprint
before, load, hoard = b"x" * 100_000_000, footprint.load_artifact, []

def load_and_hold(folder):
    hoard.append(b"x" * 40_000_000)
    cascade = load(folder)
    decide = cascade.decide
    object.__setattr__(cascade, "decide", lambda texts: (hoard.append(b"x" * 10_000_000), decide(texts)))
    return cascade

footprint.load_artifact = load_and_hold
footprint.answer()
"""
"""A process that holds more than an artifact does."""


@dataclass
class Clock:
    """What decides and the clock in one: a text takes a millisecond, a long one two."""

    now: float = 0.0
    asked: list[list[str]] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def decide(self, texts: Sequence[str]) -> None:
        self.asked.append(list(texts))
        self.now += sum(0.002 if len(text) > 9 else 0.001 for text in texts)


@pytest.fixture
def clock() -> Clock:
    """A clock that is also what decides."""
    return Clock()


def cost_of(clock: Clock, folder: Path, texts: Sequence[str]) -> Cost:
    """Return the cost of an artifact by the clock."""
    return measure_cost(clock, folder, texts, timer=clock)  # type: ignore[arg-type]


def test_the_times_are_those_of_single_texts_and_of_one_call(clock: Clock, spam_artifact: Path) -> None:
    texts = ["short", "a longer one", "brief"]
    found = cost_of(clock, spam_artifact, texts)
    assert found.texts == 3
    assert found.median_ms == pytest.approx(1.0)
    assert found.p99_ms == pytest.approx(np.percentile([1.0, 2.0, 1.0], 99))
    assert found.texts_per_second == pytest.approx(3 / 0.004)
    assert clock.asked == [texts, *[[text] for text in texts] * 5, *[texts] * 5]


def test_texts_are_timed_after_a_warm_up_that_does_not_count(clock: Clock, spam_artifact: Path) -> None:
    cost_of(clock, spam_artifact, TEXTS)
    assert clock.asked[0] == TEXTS[:20]
    assert clock.asked[1] == TEXTS[:1]


def test_slow_texts_are_timed_in_fewer_passes(clock: Clock, spam_artifact: Path) -> None:
    clock.decide = lambda texts: setattr(clock, "now", clock.now + len(texts))  # type: ignore[method-assign]
    found = cost_of(clock, spam_artifact, TEXTS)
    assert found.median_ms == pytest.approx(1000)
    # A warm-up of 20 texts, then three passes of each kind.
    assert clock.now == 20 + 3 * 30 + 3 * 30


def test_a_pause_of_the_machine_is_no_time_of_a_text(clock: Clock, spam_artifact: Path) -> None:
    decide, pauses = clock.decide, iter([0.0] * 4 + [9.0] * 3 + [0.0] * 2 + [9.0])

    def paused(texts: Sequence[str]) -> None:
        decide(texts)
        clock.now += next(pauses, 0.0)

    clock.decide = paused  # type: ignore[method-assign]
    found = cost_of(clock, spam_artifact, ["short", "brief"])
    assert (found.median_ms, found.p99_ms) == (pytest.approx(1.0), pytest.approx(1.0))


def test_many_texts_are_sampled_evenly(clock: Clock, spam_artifact: Path) -> None:
    texts = [str(number) for number in range(2500)]
    assert cost_of(clock, spam_artifact, texts).texts == 200
    alone = [call[0] for call in clock.asked[1:201]]
    assert alone[:3] == ["0", "12", "25"]
    assert len(clock.asked[-1]) == 1000
    assert clock.asked[-1][-1] == "2497"


@given(st.integers(0, 3000), st.integers(1, 1000))
def test_a_sample_is_as_large_as_it_may_be_and_in_order(size: int, most: int) -> None:
    sample = [int(text) for text in module._spread([str(number) for number in range(size)], most)]
    assert len(sample) == min(size, most)
    assert sample == sorted(set(sample))
    if size > most:
        assert max(np.diff([*sample, size])) <= -(-size // most)


def test_without_texts_the_times_are_undefined(clock: Clock, spam_artifact: Path) -> None:
    found = cost_of(clock, spam_artifact, [])
    assert (found.texts, found.median_ms, found.p99_ms, found.texts_per_second) == (0, None, None, None)
    assert found.load_ms > 0
    assert found.size_bytes > 0
    [line] = found.lines()
    assert line.startswith("Cost here: loaded in ")


def test_a_clock_that_stands_still_gives_no_rate(spam_artifact: Path, spam_cascade: Cascade) -> None:
    found = measure_cost(spam_cascade, spam_artifact, TEXTS, timer=lambda: 7.0)
    assert (found.median_ms, found.texts_per_second) == (0.0, None)


def test_a_real_cascade_has_a_cost_that_survives_json(ruled_artifact: Path, ruled_cascade: Cascade) -> None:
    found = measure_cost(ruled_cascade, ruled_artifact, TEXTS)
    assert Cost.model_validate_json(found.model_dump_json()) == found
    assert found.median_ms is not None
    assert found.p99_ms is not None
    assert 0 < found.median_ms <= found.p99_ms
    assert found.texts_per_second is not None
    assert found.memory_bytes is not None
    assert 0 < found.memory_bytes < 1e9
    assert found.machine == this_machine()


def test_the_size_counts_every_file_and_no_report(spam_artifact: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(spam_artifact, folder)
    (folder / "stray.txt").write_text("not of the manifest")
    cascade = load_artifact(folder)
    names = {"manifest.json", *read_manifest(folder).files}
    before = measure_cost(cascade, folder, []).size_bytes
    assert before == sum((folder / name).stat().st_size for name in names)
    attach_report(folder, "{}" * 5000)
    after = measure_cost(cascade, folder, []).size_bytes
    assert after - before < 200  # the manifest names the report


def test_loading_and_memory_are_of_a_process_that_imported_before(ruled_artifact: Path) -> None:
    found = measure_footprint(ruled_artifact, ["free prize"])
    assert found.load_ms > 0
    assert found.memory_bytes is not None
    assert 0 < found.memory_bytes < 100e6


def test_the_memory_is_what_loading_and_deciding_hold(
    spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footprints, "CHILD", (*footprints.CHILD[:-1], HOARDING))
    found = measure_footprint(spam_artifact, ["free"] * 3).memory_bytes
    assert found is not None
    # What was held before is not counted: 40 MB held while loading, and 10 MB for each text.
    assert 70e6 < found < 80e6


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Sequence[str], str]]:
    """The command line and the input of every process that is asked."""
    run, calls = subprocess.run, []

    def recorded(command: Sequence[str], **options: Any) -> Any:
        calls.append((command, options["input"]))
        return run(command, **options)

    monkeypatch.setattr(footprints.subprocess, "run", recorded)
    return calls


def test_no_text_shows_in_the_list_of_processes(
    spam_artifact: Path, asked: list[tuple[Sequence[str], str]]
) -> None:
    measure_footprint(spam_artifact, ["my secret", "日本語"])
    [(command, question)] = asked
    assert not any("secret" in part or str(spam_artifact) in part for part in command)
    assert json.loads(question)["texts"] == ["my secret", "日本語"]


def test_modules_that_loading_imports_are_imported_before_a_second_process_measures(
    ruled_artifact: Path, asked: list[tuple[Sequence[str], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(footprints, "LAZY", ())
    measure_footprint(ruled_artifact, ["fr3e"])
    first, second = (json.loads(question)["modules"] for _, question in asked)
    assert first == []
    # Not mmap: what measures coverage of the process may have imported that before.
    assert "safetensors" in second


def test_a_folder_that_a_process_cannot_load_is_named_with_its_fault(tmp_path: Path) -> None:
    with pytest.raises(
        ArtifactError, match=r"gone could not be loaded in a process of its own.*not an artifact"
    ):
        measure_footprint(tmp_path / "gone", [])


@pytest.mark.parametrize(
    ("code", "limit", "told"),
    [
        ("import time; time.sleep(60)", 0.05, "timed out after 0.05 seconds"),
        ("print('hello')", 60, r"its answer was 'hello\\n'"),
        ("", 60, "its answer was ''"),
        ("import os; os.kill(os.getpid(), 9)", 60, "died with <Signals.SIGKILL: 9>"),
    ],
    ids=["slow", "strange", "silent", "killed"],
)
def test_a_process_that_does_not_answer_is_an_error(
    spam_artifact: Path, monkeypatch: pytest.MonkeyPatch, code: str, limit: float, told: str
) -> None:
    monkeypatch.setattr(footprints, "CHILD", (sys.executable, "-c", code))
    monkeypatch.setattr(footprints, "LIMIT_SECONDS", limit)
    with pytest.raises(ArtifactError, match=told):
        measure_footprint(spam_artifact, [])


def test_a_system_that_does_not_tell_leaves_the_memory_open(
    spam_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(footprints, "PAGES", tmp_path / "statm")
    question = {"folder": str(spam_artifact), "texts": ["free"], "modules": ["json"]}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(question)))
    answer()
    found = json.loads(capsys.readouterr().out)
    assert found["memory_bytes"] is None
    assert found["load_ms"] > 0
    cost = Cost(machine="m", texts=0, load_ms=5, memory_bytes=None, size_bytes=2_500_000)
    assert (cost.memory_mb, cost.size_mb) == (None, 2.5)
    assert list(cost.lines()) == ["Cost here: loaded in 5 ms, 2.5 MB on disk"]


def test_the_line_for_people_has_every_figure() -> None:
    cost = Cost(
        machine="m",
        texts=200,
        median_ms=0.244,
        p99_ms=0.7,
        texts_per_second=6681.3,
        load_ms=30.2,
        memory_bytes=6_812_000,
        size_bytes=1_800_000,
    )
    assert list(cost.lines()) == [
        "Cost here: 0.24 ms a text (99th percentile 0.70 ms), 6,681 texts a second in one call, "
        "loaded in 30 ms, 6.8 MB of memory, 1.8 MB on disk"
    ]


def test_the_machine_is_described_without_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "cpuinfo"
    table.write_text("processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz\n")
    assert module._processor(table) == "Some CPU @ 2 GHz"
    table.write_text("model name\t:\nFeatures : fp\n")
    assert module._processor(table) == module._processor(tmp_path / "gone") == platform.machine()
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert ", 1 core, " in this_machine()
    assert platform.node() not in this_machine()
