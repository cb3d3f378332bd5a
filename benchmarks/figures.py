"""Write the measured figures into docs/figures.md: ``make figures``, or ``python -m benchmarks.figures``.

A page holds ``<!-- figures: NAME -->`` and ``<!-- end of figures -->``; what stands between them is
made from benchmarks/results and never edited by hand. ``--check`` writes nothing and fails on a difference.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "figures.md"
RESULTS = ROOT / "benchmarks" / "results"
MARKED = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def main() -> int:
    """Write or check the page and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    before = PAGE.read_text(encoding="utf-8")
    results = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")}
    after = filled(before, results)
    if not parser.parse_args().check:
        PAGE.write_text(after, encoding="utf-8")
    elif before != after:
        print("docs/figures.md is not what the results say; run: make figures", file=sys.stderr)
        return 1
    return 0


def filled(page: str, results: Mapping[str, Any]) -> str:
    """Return a page with the tables of the results between its markers.

    Raises KeyError for a marker that has no table here.
    """
    return MARKED.sub(lambda found: found[1] + TABLES[found[2]](results) + found[3], page)


def imdb_table(results: Mapping[str, Any]) -> str:
    """Return the accuracies on IMDB."""
    rows = [
        "| weighting | n-grams | tokens | accuracy (95 % interval) | rows trained on | training |",
        "|---|---|---|---|---|---|",
    ]
    for result in results["quality"]["imdb"]:
        estimator, accuracy = result["estimator"], result["accuracy"]
        ngrams = " to ".join(map(str, estimator["word_ngrams"]))
        rows.append(
            f"| {estimator['weighting']} | {ngrams} | {estimator['tokens']} "
            f"| {accuracy['value']:.4f} ({accuracy['low']:.4f} to {accuracy['high']:.4f}) "
            f"| {result['train_rows']:,} | {result['train_seconds']:.0f} s |"
        )
    return "\n".join(rows) + "\n"


def sms_table(results: Mapping[str, Any]) -> str:
    """Return spam caught and ham blocked."""
    sms = results["quality"]["sms"]
    names = {
        "served": f"as served, threshold {sms['threshold']:g}",
        "no_false_alarm": "lowest threshold without a false alarm on validation rows",
    }
    rows = ["| operating point | spam caught | ham blocked |", "|---|---|---|"]
    rows += [
        f"| {name} | {cell(sms[key]['spam_caught'])} | {cell(sms[key]['ham_blocked'])} |"
        for key, name in names.items()
    ]
    rows.append("| published (Almeida et al., 2011) | 83.1 % | 0.18 % |")
    return "\n".join(rows) + "\n"


def machine_line(results: Mapping[str, Any]) -> str:
    """Return what the figures were measured with."""
    machine = dict(results["quality"]["machine"])
    cores = machine.pop("cores")
    return (
        f"Measured on {cores} cores with "
        + ", ".join(f"{name} {is_}" for name, is_ in machine.items())
        + ".\n"
    )


def cell(measured: Mapping[str, Any]) -> str:
    """Return a counted share with its interval for a table."""
    interval = f"{measured['low']:.2%} to {measured['high']:.2%}"
    return f"{measured['share']:.2%} ({interval}; {measured['hits']:,} of {measured['of']:,})".replace(
        "%", " %"
    )


TABLES = {"imdb": imdb_table, "sms": sms_table, "machine": machine_line}

if __name__ == "__main__":
    sys.exit(main())
