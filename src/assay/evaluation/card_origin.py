"""The part of a model card that says where a model comes from: data, training, and how to do it again."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from assay.evaluation.markdown import code, fence, plain, table
from assay.evaluation.report import Report

SIDES = ("train", "validation", "test")


def data(report: Report) -> Iterator[str]:
    """Yield where the rows came from and what became of them."""
    data = report.dataset
    yield "## Data"
    yield ""
    facts = (
        ("Name", data.name),
        ("Source", data.source),
        ("Licence", data.licence),
        ("Citation", data.citation),
    )
    yield from (f"- {name}: {plain(value)}" for name, value in facts if value)
    yield f"- Fingerprint: `{data.fingerprint}`"
    yield f"- Fingerprint of the held-out rows: `{report.rows_fingerprint}`"
    if data.counts:
        yield ""
        sides = [side for side in SIDES if side in data.counts] + [
            side for side in data.counts if side not in SIDES
        ]
        rows = []
        for side in sides:
            counts = data.counts[side]
            rows.append(
                (side, *(f"{counts.get(label, 0):,}" for label in report.labels), f"{sum(counts.values()):,}")
            )
        yield from table(
            ("Side", *(code(label) for label in report.labels), "All"),
            rows,
            "l" + "r" * (len(report.labels) + 1),
        )
    yield from _audit(data.audit)


def _audit(audit: Mapping[str, Any]) -> Iterator[str]:
    if "rows_read" in audit and "rows_kept" in audit:
        yield ""
        yield f"{audit['rows_read']:,} rows were read and {audit['rows_kept']:,} kept."
    findings = audit.get("findings") or []
    if findings:
        yield ""
        yield from (f"- {plain(finding['message'])}" for finding in findings)


def training(report: Report) -> Iterator[str]:
    """Yield how the model was trained."""
    facts = report.training
    yield "## Training"
    yield ""
    if facts.seconds is not None:
        yield f"- Time: {facts.seconds:.1f} s"
    if facts.git_commit:
        yield f"- Git commit: `{facts.git_commit}`"
    if report.digest:
        yield f"- Digest of what decides: `{report.digest}`"
    if facts.libraries:
        yield "- Libraries: " + ", ".join(
            f"{plain(name)} {plain(version)}" for name, version in sorted(facts.libraries.items())
        )
    if facts.hyperparameters:
        yield ""
        rows = [
            (code(name), code(json.dumps(value, ensure_ascii=False)))
            for name, value in facts.hyperparameters.items()
        ]
        yield from table(("Hyperparameter", "Value"), rows, "ll")


def reproduce(report: Report) -> Iterator[str]:
    """Yield how to train the same model again."""
    yield "## Reproduce"
    yield ""
    commit, _, dirty = (report.training.git_commit or "").partition("-")
    yield from fence([*([f"git checkout {commit}"] if commit else []), "assay train model/task.toml"])
    if dirty:
        yield ""
        yield "The model was trained with changes that no commit holds: the result may differ."
    yield ""
    yield (
        "`model/task.toml` is the task file in the artifact's folder, beside this report's. "
        "The data must have the fingerprint above. Intervals of the metrics are percentiles of "
        f"{report.resamples:,} bootstrap resamples of the held-out rows, seed {report.seed}; the same seed "
        "gives the same intervals."
    )
