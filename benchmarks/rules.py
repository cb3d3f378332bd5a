"""How long fifty rules take on one text: ``make bench``, or ``python -m benchmarks.rules``.

The rules are those of the spam task and benchmarks/patterns.toml; the texts are film reviews of about
1.3 KB. Python's ``re`` has the same patterns, one search each, in the same run.
"""

import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Literal

import numpy as np

from assay.config import FoldingConfig
from assay.estimators import Rules, parse_rules
from assay.estimators.folding import fold
from assay.progress import Progress
from benchmarks.sets import ROOT, load, run, task_named

WRITTEN = ROOT / "tasks" / "spam.rules.toml"
PATTERNS = ROOT / "benchmarks" / "patterns.toml"
WANTED = 50
SIZES = range(1250, 1351)
"""Bytes of UTF-8 of a text that is timed."""
TEXTS = 300
REPEATS = 7
BACKTRACKING = "^(a+)+$"
LONG, SHORT = 100_000, 28
LIMIT_SECONDS = 120
FOLDING = FoldingConfig()


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return the microseconds of the rules and of ``re``, raw and folded, and of the backtracking pattern."""
    reviews = load(task_named("sentiment"), folder / "imdb_*.parquet", progress).test.texts
    texts = [text for text in reviews if len(text.encode()) in SIZES][:TEXTS]
    with progress.step(f"time rules on {len(texts)} texts"):
        raw, folded = (timed(texts, fifty(view)) for view in ("raw", "folded"))
    return {
        "texts": len(texts),
        "bytes": median(len(text.encode()) for text in texts),
        "raw": raw,
        "folded": folded,
        "folding": spread(texts, lambda text: fold(text, FOLDING)),
        "backtracking": {"rules": long_text(), "re": short_text(), "characters": [LONG, SHORT]},
    }


def fifty(view: Literal["raw", "folded"], labels: tuple[str, str] = ("ham", "spam")) -> Rules:
    """Return fifty rules: all on the raw view, or each rule of the task on its own and the others folded.

    Each decides the second label.
    """
    written = tomllib.loads(WRITTEN.read_text(encoding="utf-8"))["rule"]
    if view == "raw":
        written = [{**rule, "view": "raw", "examples": rule["examples"][:1]} for rule in written]
    more = tomllib.loads(PATTERNS.read_text(encoding="utf-8"))["pattern"][: WANTED - len(written)]
    values = [{**rule, "counterexamples": []} for rule in written]
    values += [
        made(f"pattern-{number}", each["finds"], each["example"], view) for number, each in enumerate(more)
    ]
    return parsed([{**rule, "label": labels[1]} for rule in values], labels)


def made(name: str, pattern: str, example: str, view: str = "raw") -> dict[str, Any]:
    """Return the values of a rule that decides spam."""
    return {
        "id": name,
        "pattern": pattern,
        "label": "spam",
        "action": "decide",
        "view": view,
        "examples": [example],
    }


def parsed(values: Sequence[dict[str, Any]], labels: tuple[str, str] = ("ham", "spam")) -> Rules:
    """Return rules of values."""
    return parse_rules(
        {"rule": list(values)},
        source="the benchmark",
        labels=labels,
        positive=labels[1],
        folding=FOLDING,
        today=date.min,
    )


def timed(texts: Sequence[str], rules: Rules) -> dict[str, Any]:
    """Return microseconds a text of the rules and of ``re``, and how often the two agree."""
    search = searcher(rules)
    ours = np.vstack([rules.hits([text]) for text in texts])
    theirs = np.array([search(text) for text in texts])
    measured = {"rules": spread(texts, lambda text: rules.hits([text])), "re": spread(texts, search)}
    return {
        "number": len(rules.active),
        **measured,
        "ratio": measured["re"]["median"] / measured["rules"]["median"],
        "hits": int(ours.sum()),
        "answers": int(ours.size),
        "disagree": int((ours != theirs).sum()),
        "fallbacks": rules.fallbacks,
    }


def searcher(rules: Rules) -> Callable[[str], list[bool]]:
    """Return a function that has Python's ``re`` search a text for the same patterns."""
    patterns = [(re.compile(python(rule.pattern)), rule.view == "folded") for rule in rules.active]
    folds = any(folded for _, folded in patterns)

    def search(text: str) -> list[bool]:
        view = fold(text, FOLDING) if folds else text
        return [pattern.search(view if folded else text) is not None for pattern, folded in patterns]

    return search


def python(pattern: str) -> str:
    r"""Return a pattern in the syntax of ``re``, whose ``\b`` is a word edge in any script."""
    return pattern.replace(r"\<", r"\b").replace(r"\>", r"\b")


def spread(texts: Sequence[str], work: Callable[[str], object]) -> dict[str, float]:
    """Return the median over texts and the middle half and nine tenths, in microseconds a text.

    A text's own figure is the median of its repeats, each in a pass over all texts.
    """
    passes = [[seconds(work, text) for text in texts] for _ in range(REPEATS + 1)][1:]
    each = [median(times) * 1e6 for times in zip(*passes, strict=True)]
    cuts = quantiles(each, n=20)
    return {"median": median(each), "p5": cuts[0], "p25": cuts[4], "p75": cuts[14], "p95": cuts[18]}


def seconds(work: Callable[[str], object], text: str) -> float:
    """Return how long one call takes."""
    started = time.perf_counter()
    work(text)
    return time.perf_counter() - started


def long_text() -> dict[str, float]:
    """Return the microseconds of a rule that would backtrack, on a long text that it does not match."""
    rules = parsed([made("backtracking", BACKTRACKING, "aaa")])
    text = "a" * (LONG - 1) + "!"
    times = [seconds(lambda text: rules.hits([text]), text) * 1e6 for _ in range(REPEATS * 3)]
    return {"median": median(times), "worst": max(times)}


def short_text() -> dict[str, Any]:
    """Return the seconds of ``re`` with the same pattern on a short text; None past the limit."""
    code = (
        "import re, time; started = time.perf_counter(); "
        f"re.search({BACKTRACKING!r}, {'a' * (SHORT - 1) + '!'!r}); print(time.perf_counter() - started)"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"seconds": None, "limit": LIMIT_SECONDS}
    return {"seconds": float(done.stdout), "limit": LIMIT_SECONDS}


if __name__ == "__main__":
    sys.exit(run("rules", __doc__ or "", "imdb_train.parquet", measure))
