"""The program that times encoders: its rounds, and what its table says."""

from pathlib import Path

import pytest

from benchmarks import encoder, encoder_tables


def test_each_way_is_timed_and_compared_with_torch() -> None:
    asked: list[str] = []
    names = ("torch", "fp32", "int8")
    ways = {name: (lambda name=name: asked.append(name)) for name in names}
    found = encoder.timed(ways, rounds=2, calls=3)
    assert asked == [name for _ in range(2) for name in names for _ in range(4)]
    assert set(found["ways"]) == set(names)
    assert found["ways"]["torch"]["of_torch"] == {"median": 1, "low": 1, "high": 1, "rounds": 2}
    assert found["int8_of_fp32"]["rounds"] == 2


def test_the_table_has_a_row_a_way() -> None:
    times = {
        key: {"median": 2.0, "low": 1.0, "high": 3.0, "rounds": 3}
        for key in ("clock", "processor", "of_torch")
    }
    told = {"ways": {"torch": times, "int8": times}, "int8_of_fp32": times["clock"]}
    results = {"encoder": {"threads": 2, "tokens": 1, "encoders": {"minilm": told}}}
    time, ratio = "2.0 (1.0 to 3.0) ms", "2.00 (1.00 to 3.00)"
    assert encoder_tables.encoder(results).splitlines() == [
        "| one text, 1 tokens, 2 threads | on the clock | of the processor | times torch's | times fp32's |",
        "|---|---|---|---|---|",
        f"| MiniLM-L6: torch | {time} | {time} |  |  |",
        f"| MiniLM-L6: int8 | {time} | {time} | {ratio} | {ratio} |",
    ]


def test_nothing_is_measured_without_the_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "encoder.json"
    assert encoder.main(["--minilm", str(tmp_path), "--results", str(results)]) == 0
    assert "Nothing was measured: there is no" in capsys.readouterr().err
    assert not results.exists()
