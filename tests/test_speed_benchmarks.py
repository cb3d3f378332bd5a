"""The programs that measure speed without the web: their arithmetic, and what their tables say."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assay.estimators import load_artifact
from benchmarks import (
    memory,
    processes,
    profile,
    score,
    score_files,
    speed_tables,
    start,
    subject,
    train,
)
from benchmarks.contenders import CONSTANT
from benchmarks.intervals import over_rounds, ratio_over_rounds
from benchmarks.markdown import spread
from benchmarks.rules import fifty
from benchmarks.sampling import Sampling
from tests.contracts.sources import ROOT

ARTIFACT = ROOT / "tests" / "artifacts" / "v1" / "words-and-characters"


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


def test_a_further_worker_takes_what_three_take_more_than_two() -> None:
    found = memory.summary({1: [100, 110], 2: [150, 165], 3: [200, 230]})
    assert (found["first"]["median"], found["further"]["low"], found["further"]["high"]) == (105, 50, 65)
    assert (found["parent"]["low"], found["parent"]["high"]) == (-10, 0)


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


def test_a_start_is_held_against_the_others() -> None:
    found = start.against_assay({"assay": [2.0, 3.0], CONSTANT: [1.0, 1.5]})
    assert list(found) == [CONSTANT]
    assert found[CONSTANT]["median"] == 2.0


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
