"""Write the measured figures into the documentation: ``make figures``, or ``python -m benchmarks.figures``.

A page holds ``<!-- figures: NAME -->`` and ``<!-- end of figures -->``; what stands between them is
made from benchmarks/results and never edited by hand. ``--check`` writes nothing and fails on a difference.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.sets import RESULTS, ROOT
from benchmarks.tables import TABLES

PAGES = tuple(ROOT / "docs" / name for name in ("figures.md", "performance.md"))
MARKED = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def main() -> int:
    """Write or check the pages and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check, results, stale = parser.parse_args().check, read_results(), []
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = filled(before, results)
        if not check:
            page.write_text(after, encoding="utf-8")
        elif before != after:
            stale.append(page.name)
    if stale:
        print(f"{', '.join(stale)}: not what the results say; run: make figures", file=sys.stderr)
    return 1 if stale else 0


def read_results() -> dict[str, Any]:
    """Return what each program measured, by the program's name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")}


def filled(page: str, results: Mapping[str, Any]) -> str:
    """Return a page with the tables of the results between its markers.

    Raises KeyError for a marker that has no table.
    """
    return MARKED.sub(lambda found: found[1] + TABLES[found[2]](results) + found[3], page)


if __name__ == "__main__":
    sys.exit(main())
