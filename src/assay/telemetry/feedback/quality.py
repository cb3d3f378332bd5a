"""Precision, recall and F1 of live decisions, from the few of them that somebody labelled.

Who labels chooses what: doubtful cases, complaints, alarms. Within one kind of decision (``strata``) a label
is taken for one of any of them; the kinds are then weighted by how many decisions they have, known from the
log (post-stratification: Holt and Smith, Journal of the Royal Statistical Society A, 1979). Intervals come
from draws: each kind's share between the two Beta distributions of Clopper and Pearson (Biometrika, 1934),
whatever is not labelled then by chance. A kind without labels may have any share, from none to all (Manski,
American Economic Review, 1990): nobody has looked.

The estimate without labels takes each confidence for a probability. It holds as far as the calibration does:
through a shift of what is asked, not through a change of what is right (Guillory et al., ICCV 2021; Garg et
al., ICLR 2022).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.telemetry.feedback.strata import Cell, Stratum

DRAWS = 4_000
CONFIDENCE = 0.95
SEED = 20261129

Floats = NDArray[np.float64]
Labels = Mapping[Stratum, Mapping[str, int]]
"""How many decisions of each kind were given each label."""


class Figure(NamedTuple):
    """An estimate with the bounds of its interval."""

    low: float
    estimate: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:.3f} ({self.low:.3f} to {self.high:.3f})"


class Quality(NamedTuple):
    """What is known of one label: ``precision``, ``recall`` and ``f1``, each None where it is undefined.

    ``measured`` accounts for which decisions were labelled, ``naive`` takes those that were for all.
    ``expected`` needs no labels, and ``error`` is what it says too much, empty where nothing was measured.
    """

    measured: dict[str, Figure | None]
    naive: dict[str, Figure | None]
    expected: dict[str, Figure | None]
    error: dict[str, Figure | None]


class Table(NamedTuple):
    """The kinds of decisions as arrays, an entry each, for one label."""

    decided: NDArray[np.bool_]
    """Whether it is the label that they were given."""
    weight: Floats
    noise: Floats
    labelled: Floats
    hits: Floats
    """Of those labelled, how many have the label in truth."""
    expected: Floats
    """How many have it by the model's own confidence."""
    chance: Floats
    """The variance of that."""


def measure(
    cells: Mapping[Stratum, Cell], labels: Labels, label: str, *, count: int = 2, seed: int = SEED
) -> Quality:
    """Return what is known of one label of a version.

    ``count`` is how many labels its task has. Equal arguments give equal figures.
    """
    table = table_of(cells, labels, label, count)
    draws = np.random.default_rng(seed)
    measured = _measured(table, draws)
    expected = _expected(table, draws, binary=count == 2)
    error = {name: _error(expected[name], measured[name]) for name in measured if table.labelled.any()}
    return Quality(measured, _naive(table, draws), expected, error)


def table_of(cells: Mapping[Stratum, Cell], labels: Labels, label: str, count: int) -> Table:
    """Return the kinds of decisions as arrays."""
    strata = sorted({*cells, *labels})
    rows = []
    for stratum in strata:
        cell, given = cells.get(stratum, Cell()), labels.get(stratum, {})
        labelled = sum(given.values())
        decided = stratum.label == label
        # What the model does not give to its own label is shared by the others.
        wrong = (cell.weight - cell.right) / max(count - 1, 1)
        guess = (cell.right, cell.right_noise) if decided else (wrong, cell.wrong_noise)
        # A decision that was labelled was made, also where the log has lost it.
        weight = max(cell.weight, labelled)
        rows.append((decided, weight, cell.noise, labelled, given.get(label, 0), *guess))
    columns = np.array(rows, np.float64).reshape(-1, 7).T
    return Table(columns[0].astype(np.bool_), *columns[1:])


def _measured(table: Table, draws: "np.random.Generator") -> dict[str, Figure | None]:
    decided, labelled, hits = table.decided, table.labelled[:, None], table.hits[:, None]
    size = (len(decided), DRAWS)
    whole = table.weight[:, None] + np.sqrt(table.noise)[:, None] * draws.standard_normal(size)
    whole = np.maximum(whole, labelled)
    rest = np.rint(whole - labelled).astype(np.int64)
    # One share for both bounds, by the same quantile, would need the inverse of Beta: two draws do.
    misses = labelled - hits
    low = hits + draws.binomial(rest, _beta(draws, hits, misses + 1, size))
    high = hits + draws.binomial(rest, _beta(draws, hits + 1, misses, size))
    share = np.divide(table.hits, table.labelled, out=np.zeros(len(decided)), where=table.labelled > 0)
    guess = np.divide(table.expected, table.weight, out=np.zeros(len(decided)), where=table.weight > 0)
    point = np.where(table.labelled > 0, share, guess) * table.weight
    made, missed = whole[decided].sum(axis=0), ~decided
    bounds = [
        _rates(true[decided].sum(axis=0), other[missed].sum(axis=0), made)
        for true, other in ((low, high), (high, low))
    ]
    middle = _rates(point[decided].sum(), point[missed].sum(), table.weight[decided].sum())
    return {name: _figure(bounds[0][name], middle[name], bounds[1][name]) for name in middle}


def _beta(draws: "np.random.Generator", first: Floats, second: Floats, size: tuple[int, int]) -> Floats:
    """Return draws of Beta(first, second), which is 0 where ``first`` is 0 and 1 where ``second`` is."""
    drawn = draws.beta(np.maximum(first, 0.5), np.maximum(second, 0.5), size)
    drawn = np.where(first > 0, drawn, 0.0)
    return np.where(second > 0, drawn, 1.0)


def _rates(true: Any, missed: Any, made: Any) -> dict[str, Any]:
    """Return the rates of counts: found and true, true and not found, found at all; NaN where undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        true, made = np.float64(true), np.float64(made)
        return {
            "precision": true / made,
            "recall": true / (true + missed),
            "f1": 2 * true / (made + true + missed),
        }


def _figure(low: Floats, middle: float, high: Floats) -> Figure | None:
    lows, highs = low[~np.isnan(low)], high[~np.isnan(high)]
    if np.isnan(middle) or not len(lows) or not len(highs):
        return None
    tail = (1 - CONFIDENCE) / 2
    bottom, top = float(np.quantile(lows, tail)), float(np.quantile(highs, 1 - tail))
    middle = min(max(float(middle), 0.0), 1.0)
    return Figure(min(max(bottom, 0.0), middle), middle, max(min(top, 1.0), middle))


def _naive(table: Table, draws: "np.random.Generator") -> dict[str, Figure | None]:
    """Return the rates among those labelled, with the intervals that Jeffreys' prior gives."""
    found = table.hits[table.decided].sum()
    counts = found, (table.labelled - table.hits)[table.decided].sum(), table.hits[~table.decided].sum()
    true, alarms, missed = (draws.gamma(count + 0.5, size=DRAWS) for count in counts)
    drawn = _rates(true, missed, true + alarms)
    middle = _rates(found, counts[2], found + counts[1])
    return {name: _figure(drawn[name], middle[name], drawn[name]) for name in middle}


def _expected(table: Table, draws: "np.random.Generator", *, binary: bool) -> dict[str, Figure | None]:
    """Return the rates that the confidences promise; with more labels, what is missed is not known."""
    decided = table.decided
    sides = decided, ~decided
    true, missed = (table.expected[side].sum() for side in sides)
    noise = [np.sqrt(table.chance[side].sum()) for side in sides]
    made = table.weight[decided].sum()
    drawn = _rates(
        np.clip(true + noise[0] * draws.standard_normal(DRAWS), 0.0, None),
        np.clip(missed + noise[1] * draws.standard_normal(DRAWS), 0.0, None),
        made,
    )
    middle = _rates(true, missed, made)
    figures = {name: _figure(drawn[name], middle[name], drawn[name]) for name in middle}
    return figures if binary else {"precision": figures["precision"], "recall": None, "f1": None}


def _error(expected: Figure | None, measured: Figure | None) -> Figure | None:
    if expected is None or measured is None:
        return None
    middle = expected.estimate
    return Figure(middle - measured.high, middle - measured.estimate, middle - measured.low)
