"""How soon drift is found on real texts, and how often without any: ``python -m benchmarks.drift``.

Reviews and messages are decided once; streams are drawn from what was decided, with replacement, so that
millions of decisions take minutes. Nothing of the watch itself is simulated: the service's own classes count,
look and raise the alarms.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.estimators import Cascade, Observation, observe, profile_from, train_cascade
from assay.families import TfidfConfig
from assay.progress import Progress
from benchmarks.disguises import disguised
from benchmarks.drift_costs import costs
from benchmarks.sets import load, run, task_named
from benchmarks.streams import Change, Population, alarms_without_change, delays, rate

SENTIMENT = TfidfConfig(weighting="nb", tokens="words-and-punctuation", word_ngrams=(1, 1), min_df=5, C=100.0)
"""The task's own, of single words: a fraction of the time for a model that is a little worse."""
POSTS = TfidfConfig(word_ngrams=(1, 1), min_df=2)
POLITENESS = 2
"""How far the program stands back for others, as ``nice`` has it."""
HELD_OUT_MESSAGES = 0.5
"""Share of the messages that are held out: the more there are, the more like new ones are those drawn."""
STREAMS, DECISIONS = 10, 500_000
"""Streams of reviews without a change, each with a split of its own, and decisions of each."""
SMALL, SMALL_STREAMS, SMALL_DECISIONS = 200, 100, 30_000
"""Rows of a small reference, streams with one of their own, and decisions of each."""
RUNS = 200
"""Streams with a change, a kind."""
MIXED = (0.05, 0.1, 0.25)
POSITIVES = (0.6, 0.65)
SPAM = (0.2, 0.25)
DISGUISED = (0.1, 0.25, 0.5)


def measure(folder: Path, progress: Progress) -> dict[str, Any]:
    """Return false alarms, delays and costs."""
    os.nice(POLITENESS)
    rng, of_messages = np.random.default_rng(6), np.random.default_rng(7)
    reviews = Reviews(folder, progress)
    messages = Messages(folder, progress)
    posts = Posts(folder, progress)
    with progress.step("streams without a change"):
        quiet = [
            reviews.without_change(rng),
            reviews.with_small_reference(rng),
            posts.without_change(rng),
            messages.without_change(of_messages),
        ]
    with progress.step("streams with a change"):
        found = [delays(change, RUNS, rng) for change in reviews.changes(messages.rows.texts, rng)]
        found += [delays(change, RUNS, of_messages) for change in messages.changes(of_messages)]
    with progress.step("costs"):
        cost = costs(reviews.cascade, reviews.texts, reviews.seen)
    return {"no_change": quiet, "changes": found, "cost": cost}


class Reviews:
    """IMDB's reviews, decided by a model that was trained on the other half of them."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        task = task_named("sentiment").model_copy(update={"estimator": SENTIMENT})
        dataset = load(task, folder / "imdb_*.parquet", progress)
        self.cascade = train_cascade(task, dataset.train, dataset.validation, progress=progress)
        self.texts, self.labels = dataset.test.texts, np.array(dataset.test.labels)
        with progress.step("decide the held-out reviews"):
            self.seen = decided(self.cascade, self.texts)

    def split(self, rng: np.random.Generator, rows: int | None = None) -> tuple[list[int], list[int]]:
        """Return the places of two halves, the first of so many rows at most."""
        order = rng.permutation(len(self.seen))
        half = len(order) // 2
        return order[:half][:rows].tolist(), order[half:].tolist()

    def population(self, reference: Sequence[int], stream: Sequence[int]) -> Population:
        """Return some reviews to draw from, under the profile of others."""
        profile = profile_from(self.cascade, [self.seen[at] for at in reference])
        return Population(profile, [self.seen[at] for at in stream])

    def without_change(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return how many alarms there are with half of the held-out reviews as the reference."""
        streams = (self.population(*self.split(rng)) for _ in range(STREAMS))
        alarms = alarms_without_change(streams, DECISIONS, rng)
        return {
            "set": "reviews",
            "reference": len(self.seen) // 2,
            **rate(alarms, STREAMS * DECISIONS, STREAMS),
        }

    def with_small_reference(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return the same with a reference of few rows."""
        streams = (self.population(*self.split(rng, SMALL)) for _ in range(SMALL_STREAMS))
        alarms = alarms_without_change(streams, SMALL_DECISIONS, rng)
        decisions = SMALL_STREAMS * SMALL_DECISIONS
        return {"set": "reviews", "reference": SMALL, **rate(alarms, decisions, SMALL_STREAMS)}

    def changes(self, texts: Sequence[str], rng: np.random.Generator) -> Iterator[Change]:
        """Yield streams into which messages are mixed, and those of another share of positive reviews."""
        reference, rest = self.split(rng)
        usual = self.population(reference, rest)
        messages = Population(usual.profile, decided(self.cascade, texts))
        for part in MIXED:
            yield Change("SMS among the reviews", part, usual, [(1 - part, usual), (part, messages)])
        sides = [
            self.population(reference, [at for at in rest if self.labels[at] == label])
            for label in ("negative", "positive")
        ]
        for part in POSITIVES:
            told = "positive reviews, before 50 %"
            yield Change(told, part, usual, [(1 - part, sides[0]), (part, sides[1])])


class Messages:
    """Text messages, decided by the rules and a model that half of them trained."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        task = task_named("spam")
        data = task.data.model_copy(update={"test": HELD_OUT_MESSAGES})
        dataset = load(task.model_copy(update={"data": data}), folder / "sms_spam.parquet", progress)
        self.cascade = train_cascade(task, dataset.train, dataset.validation, progress=progress)
        self.rows = dataset.test
        self.seen = decided(self.cascade, self.rows.texts)

    def without_change(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return how many alarms there are when reference and stream are drawn from the same messages."""
        return same_rows("messages", self.cascade, self.seen, rng)

    def changes(self, rng: np.random.Generator) -> Iterator[Change]:
        """Yield streams with more spam, and those in which spam is disguised."""
        usual = drawn(self.cascade, self.seen, len(self.seen), rng)
        ham, spam = (
            [at for at, label in enumerate(self.rows.labels) if label == wanted] for wanted in ("ham", "spam")
        )
        hams, spams = (Population(usual.profile, [self.seen[at] for at in side]) for side in (ham, spam))
        before = len(spam) / len(self.seen)
        for part in SPAM:
            yield Change(f"spam, before {before:.0%}", part, usual, [(1 - part, hams), (part, spams)])
        texts = [disguised(self.rows.texts[at], rng) for at in spam]
        hidden = Population(usual.profile, decided(self.cascade, texts))
        for part in DISGUISED:
            mixture = [(1 - before, hams), (before * (1 - part), spams), (before * part, hidden)]
            yield Change("of the spam, disguised", part, usual, mixture)


class Posts:
    """Posts of three labels, decided by a model that half of them trained."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        task = task_named("abuse").model_copy(update={"estimator": POSTS})
        data = task.data.model_copy(update={"test": HELD_OUT_MESSAGES})
        dataset = load(task.model_copy(update={"data": data}), folder / "davidson_tweets.parquet", progress)
        self.cascade = train_cascade(task, dataset.train, dataset.validation, progress=progress)
        self.seen = decided(self.cascade, dataset.test.texts)

    def without_change(self, rng: np.random.Generator) -> dict[str, Any]:
        """Return how many alarms there are when reference and stream are drawn from the same posts."""
        return same_rows("posts", self.cascade, self.seen, rng)


def same_rows(
    name: str, cascade: Cascade, seen: Sequence[Observation], rng: np.random.Generator
) -> dict[str, Any]:
    """Return how many alarms there are in streams drawn from the same rows as their profiles."""
    rows, decisions = len(seen) // 2, DECISIONS // 2
    streams = (drawn(cascade, seen, rows, rng) for _ in range(STREAMS))
    alarms = alarms_without_change(streams, decisions, rng)
    return {"set": name, "reference": rows, **rate(alarms, STREAMS * decisions, STREAMS)}


def drawn(cascade: Cascade, seen: Sequence[Observation], rows: int, rng: np.random.Generator) -> Population:
    """Return rows to draw from, under a profile of so many that were drawn from them with replacement."""
    profile = profile_from(cascade, [seen[at] for at in rng.integers(len(seen), size=rows)])
    return Population(profile, seen)


def decided(cascade: Cascade, texts: Sequence[str]) -> list[Observation]:
    """Return what drift looks at of each text's decision."""
    return [each for at in range(0, len(texts), 1000) for each in observe(cascade, texts[at : at + 1000])]


if __name__ == "__main__":
    sys.exit(run("drift", __doc__ or "", "imdb_train.parquet", measure))
