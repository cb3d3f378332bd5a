"""The encoder that ``serve_encoder`` measures with, made once and kept in a folder outside of the repository.

Weights of a base (a local folder, as ``assay base fetch`` makes) under a classifier of chance for two labels:
what it decides means nothing, what it costs is what a fine-tuned one costs. It is kept as Hugging Face has it
and as artifacts in fp32 and int8. torch is only imported by ``python -m benchmarks.encoder_subject``.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.config import parse_task
from assay.estimators import NO_RULES, Cascade, EncoderModel, EncoderSpec, OperatingPoint, save_artifact
from assay.progress import Progress
from assay.settings import Settings
from benchmarks.sets import ROOT
from benchmarks.subject import LABELS, SEED, Row, Sets, drawn, key_of, made_whole, table

TOKENS = 256
TEXTS = 512
PRECISIONS = ("fp32", "int8")
REPEATED = 20_000
"""Requests of the set in which texts come again."""
ZIPF = 1.0
"""The exponent by which they do: the second most frequent text comes half as often as the first."""
FETCH = "Get one with: assay base fetch minilm"


@dataclass(frozen=True)
class EncoderSubject:
    """Artifacts by precision, the classifier's folder, a key, and the requests with the answers of fp32."""

    settings: Settings
    artifacts: dict[str, Path]
    classifier: Path
    key: str
    sets: Sets


def prepare(data: Path, base: Path, work: Path, progress: Progress) -> EncoderSubject:
    """Return the subject, made from a base unless it is there already."""
    if not (base / "config.json").is_file():
        raise SystemExit(f"{base} holds no base. {FETCH}")
    folder = work / "encoder"

    def make() -> None:
        with progress.step("export and quantize the encoder"):
            command = [sys.executable, "-m", "benchmarks.encoder_subject", str(base), str(folder)]
            subprocess.run(command, cwd=ROOT, check=True)
        with progress.step("pack the artifacts and ask for every text"):
            pack(data, folder)

    made_whole(folder, make)
    settings = Settings(home=folder / "home", tasks=ROOT / "tasks")
    settings.home.mkdir(exist_ok=True)
    rows = [Row(*row) for row in json.loads((folder / "rows.json").read_text(encoding="utf-8"))]
    return EncoderSubject(
        settings=settings,
        artifacts={precision: folder / f"artifact-{precision}" for precision in PRECISIONS},
        classifier=folder / "classifier",
        key=key_of(settings),
        sets={"long": rows},
    )


def repeated(rows: Sequence[Row]) -> list[Row]:
    """Return requests in which few texts come often and many once or never, the same each time."""
    weights = 1.0 / np.arange(1, len(rows) + 1) ** ZIPF
    at = np.random.default_rng(SEED).choice(len(rows), REPEATED, p=weights / weights.sum())
    return [rows[number] for number in at.tolist()]


def pack(data: Path, folder: Path) -> None:
    """Make artifacts of the networks, and write the requests with what fp32 says of each."""
    texts = drawn(table(data / "imdb_test.parquet")[0], NO_RULES, TEXTS)
    tokenizer = (folder / "classifier" / "tokenizer.json").read_bytes()
    for precision in PRECISIONS:
        spec = EncoderSpec(
            link="sigmoid",
            labels=LABELS,
            max_tokens=TOKENS,
            truncation="head",
            precision=precision,
            tolerance=1e-4 if precision == "fp32" else 0.02,
        )
        model = EncoderModel(spec, (folder / f"{precision}.onnx").read_bytes(), tokenizer)
        cascade = cascade_of(model)
        save_artifact(
            cascade, folder / f"artifact-{precision}", golden=texts[:8], provenance={"git_commit": ""}
        )
        if precision == "fp32":
            decided = zip(texts, cascade.decide(texts), strict=True)
            rows = [(text, each.label, each.confidence) for text, each in decided]
            (folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")


def cascade_of(model: EncoderModel) -> Cascade:
    """Return the cascade that only this model decides for."""
    task = parse_task(
        {
            "name": "sentiment",
            "labels": list(LABELS),
            "positive": LABELS[-1],
            "data": {"source": "imdb"},
            "estimator": {"family": "transformer", "max_tokens": TOKENS, "truncation": "head"},
        },
        source="the benchmark",
    )
    return Cascade(task=task, model=model, operating_point=OperatingPoint(threshold=0.5, goal="fixed"))


def export(base: Path, folder: Path) -> None:
    """Write a classifier of chance over a base, as Hugging Face keeps it and as networks of ONNX."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from assay.estimators.transformer.export import export_network
    from assay.estimators.transformer.quantization import quantize

    torch.manual_seed(SEED)
    classifier = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(LABELS)).eval()
    classifier.config.id2label = dict(enumerate(LABELS))
    classifier.save_pretrained(folder / "classifier")
    AutoTokenizer.from_pretrained(base).save_pretrained(folder / "classifier")
    network = export_network(classifier, labels=len(LABELS))
    (folder / "fp32.onnx").write_bytes(network)
    (folder / "int8.onnx").write_bytes(quantize(network))


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
