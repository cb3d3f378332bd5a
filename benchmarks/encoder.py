"""One text through an encoder: torch, ONNX Runtime, and ONNX Runtime with weights of eight bits.

``python -m benchmarks.encoder``; MiniLM's weights are fetched by ``assay base fetch minilm``. The classifier
on MiniLM and all of DistilBERT's shape have random weights, which take the time that others take.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from assay.estimators.encoder import Runtime, Sessions
from assay.progress import Progress
from benchmarks.encoder_products import products
from benchmarks.intervals import over_rounds, ratio_over_rounds
from benchmarks.sets import ROOT, run

MINILM = ROOT / ".assay" / "models" / "minilm"
THREADS = 2
TOKENS = 128
ENTRIES = 30_000
"""Ids below this are in the vocabulary of both."""

Answer = Callable[[], object]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results; return the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--minilm", type=Path, default=MINILM, help="folder of MiniLM's weights")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=7, help="of each way in a round")
    options, rest = parser.parse_known_args(arguments)
    if not (options.minilm / "config.json").is_file():
        print(f"Nothing was measured: there is no {options.minilm / 'config.json'}.", file=sys.stderr)
        return 0
    return run("encoder", __doc__ or "", None, partial(measure, options=options), rest)


def measure(_: Path, progress: Progress, *, options: argparse.Namespace) -> dict[str, Any]:
    """Return milliseconds of one text and ratios, for both encoders."""
    import torch
    from transformers import AutoModelForSequenceClassification, DistilBertConfig
    from transformers import DistilBertForSequenceClassification as DistilBert

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    makers: dict[str, Callable[[], Any]] = {
        "minilm": partial(
            AutoModelForSequenceClassification.from_pretrained, str(options.minilm), num_labels=2
        ),
        "distilbert": lambda: DistilBert(DistilBertConfig(num_labels=2)),
    }
    encoders = {}
    for name, make in makers.items():
        with progress.step(name):
            encoders[name] = told_of(make().eval(), rounds=options.rounds, calls=options.calls)
    return {"threads": THREADS, "tokens": TOKENS, "calls": options.calls, "encoders": encoders}


def told_of(classifier: Any, *, rounds: int, calls: int) -> dict[str, Any]:
    """Return what one text of random ids takes in each way, and how much of it the matrix products take."""
    from assay.estimators.transformer.export import export_network
    from assay.estimators.transformer.quantization import quantize

    fp32 = export_network(classifier, labels=2)
    networks = {"fp32": fp32, "int8": quantize(fp32)}
    ids = np.random.default_rng(0).integers(1_000, ENTRIES, (1, TOKENS))
    mask = np.ones_like(ids)
    told = timed(ways_of(classifier, networks, ids, mask), rounds=rounds, calls=calls)
    told["products"] = {
        name: products(network, ids, mask, threads=THREADS, runs=rounds * calls)
        for name, network in networks.items()
    }
    return told


def ways_of(classifier: Any, networks: Mapping[str, bytes], ids: Any, mask: Any) -> dict[str, Answer]:
    """Return what is timed, by name."""
    import torch

    given = {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}

    def by_torch() -> object:
        with torch.inference_mode():
            return classifier(**given).logits

    ways: dict[str, Answer] = {"torch": by_torch}
    for name, network in networks.items():
        for more, spin in (("", False), (", spinning", True)):
            sessions = Sessions(network, Runtime(threads=THREADS, device="cpu", spin=spin))
            ways[name + more] = partial(sessions.run, ids, mask)
    return ways


def timed(ways: Mapping[str, Answer], *, rounds: int, calls: int) -> dict[str, Any]:
    """Return milliseconds a text, on the clock and of the processor, and how many times torch's they are.

    The ways take turns, round by round; a round's time is the median of its calls.
    """
    clock: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, answer in ways.items():
            answer()
            spent = time.process_time_ns()
            clock[name].append(statistics.median(milliseconds(answer) for _ in range(calls)))
            processor[name].append((time.process_time_ns() - spent) / calls / 1e6)
    return {
        "ways": {
            name: {
                "clock": over_rounds(clock[name]),
                "processor": over_rounds(processor[name]),
                "of_torch": ratio_over_rounds(clock[name], clock["torch"]),
            }
            for name in ways
        },
        "int8_of_fp32": ratio_over_rounds(clock["int8"], clock["fp32"]),
    }


def milliseconds(answer: Answer) -> float:
    """Return how long one call takes."""
    begun = time.perf_counter_ns()
    answer()
    return (time.perf_counter_ns() - begun) / 1e6


if __name__ == "__main__":
    raise SystemExit(main())
