"""The program that times encoders: its rounds, and what its table says."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import encoder, encoder_products, encoder_tables
from tests import encoders


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
    told = {
        "ways": {"torch": times, "int8": times},
        "int8_of_fp32": times["clock"],
        "products": {"fp32": 2.0, "int8": 1.0},
    }
    results = {"encoder": {"threads": 2, "tokens": 1, "encoders": {"minilm": told}}}
    time, ratio = "2.0 (1.0 to 3.0) ms", "2.00 (1.00 to 3.00)"
    assert encoder_tables.encoder(results).splitlines() == [
        "| one text, 1 tokens, 2 threads | on the clock | of the processor | times torch's | times fp32's "
        "| matrix products alone |",
        "|---|---|---|---|---|---|",
        f"| MiniLM-L6: torch | {time} | {time} |  |  |  |",
        f"| MiniLM-L6: int8 | {time} | {time} | {ratio} | {ratio} | 1.0 ms |",
    ]


def test_the_products_of_a_network_take_a_part_of_its_time() -> None:
    ids = np.ones((1, 9), np.int64)
    for network in (encoders.tiny_onnx(), encoders.tiny_int8()):
        assert encoder_products.products(network, ids, ids, threads=1, runs=3) > 0


def test_nothing_is_measured_without_the_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "encoder.json"
    assert encoder.main(["--minilm", str(tmp_path), "--results", str(results)]) == 0
    assert "Nothing was measured: there is no" in capsys.readouterr().err
    assert not results.exists()
