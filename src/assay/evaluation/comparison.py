"""Two thresholds side by side: what moving from one to the other catches, and what it costs people."""

from collections.abc import Sequence

import numpy as np

from assay.estimators import OperatingPoint, Sample, ThresholdRow
from assay.evaluation.paired import PairedComparison, compare_decisions
from assay.evaluation.text_table import text_table
from assay.exceptions import ConfigError
from assay.frozen import Frozen

MINUTES = 2.0
"""What an analyst spends on one alert when nobody says otherwise."""
TEXTS_A_DAY = 1000


class ThresholdComparison(Frozen):
    """A lower and a higher threshold on the same rows, the label against the rest.

    A day's figures are those of the sample scaled to ``texts_a_day``: they hold for traffic in which the
    label is as frequent as in the sample. An alert takes an analyst ``minutes``.
    """

    label: str
    low: ThresholdRow
    high: ThresholdRow
    texts_a_day: int
    minutes: float
    paired: PairedComparison
    """From the higher threshold to the lower."""

    def a_day(self, rows: float) -> float:
        """Return how many texts a day a number of the sample's rows stands for."""
        return rows / self.low.rows * self.texts_a_day if self.low.rows else 0.0

    def lines(self) -> list[str]:
        """Return both thresholds as a table, then what changes, in words."""
        sides = (self.low, self.high)
        head = f"{self.label!r} on {self.low.rows:,} rows, {self.texts_a_day:,} texts a day"
        rows = [
            ("caught", *(f"{side.true_positives:,}" for side in sides)),
            ("false alarms", *(f"{side.false_positives:,}" for side in sides)),
            ("missed", *(f"{side.false_negatives:,}" for side in sides)),
            ("rightly left alone", *(f"{side.true_negatives:,}" for side in sides)),
            ("precision", *(_shown(side.precision) for side in sides)),
            ("recall", *(_shown(side.recall) for side in sides)),
            ("F1", *(_shown(side.f1) for side in sides)),
            ("accuracy", *(_shown(side.accuracy) for side in sides)),
            ("alerts a day", *(_count(self.a_day(side.given)) for side in sides)),
            ("hours a day", *(f"{self._hours(side.given):,.1f}" for side in sides)),
        ]
        table = text_table(("", *(f"at {side.threshold:g}" for side in sides)), rows, "lrr")
        return [
            head,
            *(f"  {line}" for line in table),
            *self._words(),
            *self.paired.lines(f"{self.high.threshold:g}", f"{self.low.threshold:g}"),
        ]

    def _words(self) -> list[str]:
        caught = self.low.true_positives - self.high.true_positives
        alarms = self.low.false_positives - self.high.false_positives
        step = f"Lowering the threshold from {self.high.threshold:g} to {self.low.threshold:g}"
        if not caught + alarms:
            return [f"{step} changes no decision on these rows."]
        return [
            f"{step} catches {caught:,} more {self.label!r} (of {self.high.false_negatives:,} missed) and "
            f"raises {alarms:,} more {_plural(alarms, 'false alarm')}.",
            f"A day of {self.texts_a_day:,} texts like these: {_count(self.a_day(caught))} more caught, "
            f"{_count(self.a_day(alarms))} more {_plural(self.a_day(alarms), 'false alarm')}. At "
            f"{self.minutes:g} {_plural(self.minutes, 'minute')} an alert, analysts "
            f"spend {self._hours(self.low.given):,.1f} hours a day instead of "
            f"{self._hours(self.high.given):,.1f}; {self._price(caught, alarms)}.",
        ]

    def _hours(self, rows: float) -> float:
        return self.a_day(rows) * self.minutes / 60

    def _price(self, caught: int, alarms: int) -> str:
        if not caught:
            return "nothing more is caught for it"
        looked = (caught + alarms) / caught
        return f"each further catch costs {_count(looked)} alerts, {looked * self.minutes:,.1f} minutes"


def compare_thresholds(
    sample: Sample,
    labels: Sequence[str],
    positive: str,
    low: float,
    high: float,
    texts_a_day: int = TEXTS_A_DAY,
    minutes: float = MINUTES,
    *,
    point: OperatingPoint | None = None,
) -> ThresholdComparison:
    """Return what two thresholds of a label make of the same rows, and whether chance could do that.

    Rows that a rule decided keep their rule's label at either threshold. A threshold is what the point's
    ``moved`` says: of the positive label's probability with two labels, of its margin with more.

    Parameters
    ----------
    sample : truth, calibrated probabilities and what rules decided
    labels : the labels, in the order of the probabilities' columns
    positive : the label whose alerts are counted, against the rest
    low, high : the two thresholds, in either order
    texts_a_day : traffic that a day's figures are told for
    minutes : what an analyst spends on one alert
    point : with more than two labels, whose thresholds the other labels keep; all alike when left out

    Raises ConfigError for two equal thresholds and for one that no version can have: with two labels it is
    over 0 and at most 1, with more under 1.
    """
    for threshold in (low, high):
        if not 0 < threshold <= 1 or (threshold == 1 and len(labels) > 2):
            bound = "at most" if len(labels) == 2 else "under"
            raise ConfigError(
                f"A threshold to compare is over 0 and {bound} 1, as in the table; got {threshold!r}.",
                threshold=threshold,
            )
    if low == high:
        raise ConfigError(f"Two thresholds are compared; got {low!r} twice.", threshold=low)
    low, high = sorted((low, high))
    point = point or OperatingPoint(threshold=0.5 if len(labels) == 2 else None, goal="fixed")
    number = labels.index(positive)
    held = sample.truth == number
    at_low, at_high = (
        sample.decided(point.moved(threshold, positive, labels), labels, positive) == number
        for threshold in (low, high)
    )
    truth, first, second = (rows.astype(np.int64) for rows in (held, at_high, at_low))
    return ThresholdComparison(
        label=positive,
        low=ThresholdRow.of(low, held, at_low),
        high=ThresholdRow.of(high, held, at_high),
        texts_a_day=texts_a_day,
        minutes=minutes,
        paired=compare_decisions(truth, first, second, labels=2, positive=1),
    )


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _count(texts: float) -> str:
    """Return a number of texts: whole where it is large, with a decimal where that matters."""
    return f"{texts:,.0f}" if texts >= 20 or texts == int(texts) else f"{texts:,.1f}"


def _plural(number: float, noun: str) -> str:
    return noun if number == 1 else f"{noun}s"
