"""Exact intervals of counted shares."""

from typing import Any

from scipy.stats import beta

CONFIDENCE = 0.95


def exact_interval(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Clopper and Pearson (Biometrika, 1934)."""
    if not 0 <= hits <= trials or not trials:
        raise ValueError(
            f"hits must lie between 0 and the trials, of which there are some; got {hits} of {trials}"
        )
    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


def share(hits: int, trials: int) -> dict[str, Any]:
    """Return a counted share with its interval, as results hold it."""
    low, high = exact_interval(hits, trials)
    return {"hits": hits, "of": trials, "share": hits / trials, "low": low, "high": high}
