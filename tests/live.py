"""Live traffic made for tests: real decisions of a cascade as records of the log, spread over a span."""

import csv
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from assay.datasets import Rows
from assay.estimators import (
    Cascade,
    attach_report,
    load_artifact,
    profile_of,
    save_artifact,
    train_cascade,
    unknown_shares,
)
from assay.progress import Progress
from assay.telemetry import Record
from tests.conftest import make_task
from tests.corpus import ABUSE_GROUPS, SPAM_GROUPS, labelled

START = 1_764_000_000.0
"""2025-11-24 16:00 UTC."""
HOUR = 3_600.0
GOLDEN = ["free prize, call now", "lunch tomorrow?"]


def watched(
    folder: Path,
    *,
    rows: int = 300,
    profile: bool = True,
    groups: Any = SPAM_GROUPS,
    corpus_seed: int = 0,
    **parts: Any,
) -> Path:
    """Return an artifact folder with a profile of ``rows`` rows; the task's rows lie beside it."""
    source = folder / "rows.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("T", "L"), *zip(*labelled(groups, 400, seed=21), strict=True)])
    name = {2: "spam", 3: "abuse"}[len(groups)]
    data = {"source": str(source), "text": "T", "label": "L"}
    task = make_task(name, list(groups), data=data, **parts)
    cascade = train_cascade(task, Rows(*labelled(groups, 200, corpus_seed)), progress=Progress(quiet=True))
    save_artifact(cascade, folder / "model", golden=GOLDEN, provenance={"git_commit": "0" * 40})
    if profile:
        held_out = usual(rows, 9, groups)
        attach_report(folder / "model", "{}", profile_of(load_artifact(folder / "model"), held_out))
    return folder / "model"


def usual(count: int, seed: int = 5, groups: Any = SPAM_GROUPS) -> list[str]:
    """Return texts like those that the cascade was trained on."""
    # Without the numbers that the corpus counts its texts by: those of many texts are new words.
    return [text.rpartition(" ")[0] for text in labelled(groups, -(-count // len(groups)), seed)[0][:count]]


def odd(count: int, seed: int = 6) -> list[str]:
    """Return texts of another kind: longer, with words that nobody knows."""
    texts = usual(2 * count, seed, ABUSE_GROUPS)
    return [f"thermodynamics {a} zymurgy {b}" for a, b in zip(texts[::2], texts[1::2], strict=True)]


def records_of(
    cascade: Cascade,
    texts: Sequence[str],
    *,
    start: float = START,
    hours: float = 20,
    keep: bool = True,
    **fields: Any,
) -> list[Record]:
    """Return the records of decisions about texts, evenly spread over some hours."""
    decided = zip(cascade.decide(texts), texts, unknown_shares(cascade.model, texts), strict=True)
    moments = [start + hours * HOUR * number / len(texts) for number in range(len(texts))]
    return [
        Record(
            at=at,
            id=f"{int(at * 1000):012x}7{decision.id[13:]}",
            task=decision.task,
            model=decision.model,
            version=decision.version,
            label=decision.label,
            confidence=decision.confidence,
            score=decision.score,
            threshold=decision.threshold,
            decided_by=decision.decided_by,
            rule=decision.rule,
            characters=len(text),
            unknown=unknown,
            text_hash=blake2b(text.encode(), digest_size=16).hexdigest(),
            text=text if keep else None,
            **fields,
        )
        for (decision, text, unknown), at in zip(decided, moments, strict=True)
    ]


def write_log(folder: Path, records: Sequence[Record]) -> Path:
    """Write records as the file that a first worker writes to."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "predictions.jsonl").open("ab") as file:
        file.writelines(record.line() for record in records)
    return folder
