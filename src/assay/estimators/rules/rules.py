"""The rules of a task, compiled: which fire on a text, and where."""

import logging
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from assay.config import FoldingConfig
from assay.estimators.folding import Folded, fold_with_spans, folder
from assay.estimators.rules.matching import NOTHING, Matcher
from assay.estimators.rules.patterns import SET_MEMORY
from assay.estimators.rules.rule import Hit, Rule
from assay.estimators.rules.rule_examples import faults_of_examples
from assay.estimators.rules.rulefile import as_of, read_rules_toml, refuse, rules_of
from assay.exceptions import MissingExtra, RuleError, TextError

logger = logging.getLogger(__name__)

WARN_EVERY = 60.0
"""Seconds between two warnings that a set of rules ran out of memory."""


class Rules:
    r"""The rules of a task: those that are on are searched in one pass of RE2 a view, in linear time.

    ``active`` is the order of columns: rules that decide, first those for labels other than the positive one,
    then evidence. ``expired`` are off on the day ``as_of``. Immutable; threads may share it.

    >>> spam = {"label": "spam", "action": "decide", "view": "folded"}
    >>> win = Rule(id="win", pattern=r"\<win\>", examples=("win it",), **spam)
    >>> rules = Rules([win], positive="spam", folding=FoldingConfig(), as_of=date(2026, 11, 21))
    >>> rules.hits(["w1n it", "winter"]).tolist()
    [[True], [False]]
    >>> rules.find("to W-I-N it")[0].spans
    [(3, 8)]
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        positive: str,
        folding: FoldingConfig,
        as_of: date,
        max_mem: int = SET_MEMORY,
    ) -> None:
        self.all = tuple(rules)
        self.positive, self.folding, self.as_of = positive, folding, as_of
        self.expired = tuple(r for r in self.all if r.expires is not None and r.expires < as_of)
        on = [r for r in self.all if r.expires is None or r.expires >= as_of]
        decide = [rule for rule in on if rule.action == "decide"]
        self.deciding = tuple(sorted(decide, key=lambda rule: rule.label == positive))
        self.evidence = tuple(rule for rule in on if rule.action == "evidence")
        self.active = self.deciding + self.evidence
        self._max_mem = max_mem
        self._views = {view: _View(columns, self.active, max_mem) for view, columns in self._columns()}
        self._passes = [
            (folder(folding) if name == "folded" else None, view.columns, view.matcher)
            for name, view in self._views.items()
        ]
        self._fallbacks = _Fallbacks()

    @property
    def fallbacks(self) -> int:
        """How often a set ran out of memory, so that the rules of a view were searched one by one."""
        return self._fallbacks.count

    def hits(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which active rules fire on each text, shape (texts, active rules).

        Raises TextError for the first text that is not valid Unicode, naming its place.
        """
        if isinstance(texts, str):
            raise TextError("One text was given where a list belongs; wrap it: hits([text]).", index=0)
        found = np.zeros((len(texts), len(self.active)), dtype=np.bool_)
        for row, text in enumerate(texts if self._passes else ()):
            if fired := self.matched(text, row):
                found[row, fired] = True
        return found

    def matched(self, text: str, index: int = 0) -> list[int]:
        """Return the numbers of the active rules that fire on one text, rising: those that decide come first.

        The way for single texts: where the first number is less than ``len(deciding)``, that rule decides,
        and what is not less are columns of evidence. Raises TextError for a text that is not valid Unicode,
        naming ``index`` as its place.

        >>> NO_RULES.matched("nothing can fire")
        []
        """
        if not self._passes:
            return []
        try:
            encoded = text.encode()
        except UnicodeEncodeError as error:
            raise TextError(
                f"Text {index} has a lone surrogate at character {error.start}, which is not valid Unicode.",
                index=index,
            ) from error
        fired: list[int] = []
        for folding, columns, matcher in self._passes:
            if folding is not None:
                text = folding(text)
                encoded = text.encode()
            found = matcher.match_ascii(encoded) if text.isascii() else matcher.match(text, encoded)
            if found == NOTHING:
                continue
            if not found or 0 not in found:
                found = matcher.match_each(encoded)
                self._fallbacks.note(len(columns), len(encoded))
            fired += [columns[number - 1] for number in found if number]
        return sorted(fired) if len(fired) > 1 else fired

    def find(self, text: str) -> list[Hit]:
        """Return the active rules that fire on a text, in their order, with the places that they match.

        Places are characters of the text as it came, at most 100 a rule. A folded rule's place covers all
        that was folded into what it matched. Raises TextError for a text that is not valid Unicode.
        """
        fired = [(self.active[column], column) for column in self.matched(text)]
        folded = None
        if any(rule.view == "folded" for rule, _ in fired):
            folded = fold_with_spans(text, self.folding)
        return [
            Hit(rule, self._spans(column, text, folded if rule.view == "folded" else None))
            for rule, column in fired
        ]

    def only(self, ids: Collection[str]) -> Self:
        """Return the same rules without those that are not named. Raises RuleError for an unknown name."""
        known = [rule.id for rule in self.all]
        unknown = sorted(set(ids) - set(known))
        if unknown:
            raise RuleError(f"There is no rule {unknown[0]!r}; the rules are {known}.", rule=unknown[0])
        return type(self)(
            (rule for rule in self.all if rule.id in ids),
            positive=self.positive,
            folding=self.folding,
            as_of=self.as_of,
            max_mem=self._max_mem,
        )

    def to_toml(self) -> str:
        """Return the rules as a file that ``parse_rules`` reads, with the day on which expiry was judged.

        Raises MissingExtra.
        """
        try:
            import tomli_w
        except ImportError as error:
            raise MissingExtra("Writing rules", package="tomli-w", extra="train") from error
        tables = [rule.model_dump(exclude_defaults=True) for rule in self.all]
        return tomli_w.dumps({"as_of": self.as_of} | ({"rule": tables} if tables else {}))

    def __eq__(self, other: object) -> bool:
        return self._identity == other._identity if isinstance(other, Rules) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        parts = {"deciding": self.deciding, "evidence": self.evidence, "expired": self.expired}
        counts = ", ".join(f"{len(rules)} {name}" for name, rules in parts.items())
        return f"<Rules: {counts}, as of {self.as_of}>"

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.all, self.positive, self.folding, self.as_of

    def _columns(self) -> Iterator[tuple[str, list[int]]]:
        for view in ("raw", "folded"):
            columns = [column for column, rule in enumerate(self.active) if rule.view == view]
            if columns:
                yield view, columns

    def _spans(self, column: int, text: str, folded: Folded | None) -> list[tuple[int, int]]:
        view = self._views["raw" if folded is None else "folded"]
        number = view.columns.index(column) + 1
        if folded is None:
            return view.matcher.spans(number, text)
        spans = view.matcher.spans(number, folded.text)
        return sorted({(min(folded.starts[a:b]), max(folded.ends[a:b])) for a, b in spans})


class _View:
    """The active rules that read one view: their columns and their patterns."""

    def __init__(self, columns: list[int], active: Sequence[Rule], max_mem: int) -> None:
        self.columns = columns
        self.matcher = Matcher([active[column].pattern for column in columns], max_mem=max_mem)


class _Fallbacks:
    """Counts searches without a set; warns of them now and then."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()
        self._warned = -WARN_EVERY

    def note(self, rules: int, size: int) -> None:
        with self._lock:
            self.count += 1
            due = time.monotonic() - self._warned >= WARN_EVERY
            if due:
                self._warned = time.monotonic()
        if due:
            logger.warning(
                "The set of %d rules ran out of memory on a text of %d bytes; they were searched one by one "
                "(%d times so far). Use fewer or simpler rules, or one rule with its words joined by |.",
                rules,
                size,
                self.count,
            )


NO_RULES = Rules((), positive="", folding=FoldingConfig(), as_of=date.min)


def parse_rules(
    values: Mapping[str, Any],
    *,
    source: str,
    labels: Sequence[str],
    positive: str,
    folding: FoldingConfig,
    today: date,
) -> Rules:
    """Return the rules that a mapping describes; a key ``as_of`` in it stands for ``today``.

    Raises RuleError, naming ``source``, every rule that cannot be used by its id, and why.
    """
    day = as_of(values, source, today)
    sound, faults = rules_of(values, source, labels)
    rules = Rules(sound, positive=positive, folding=folding, as_of=day)
    for name, wrong in faults_of_examples(rules).items():
        faults.setdefault(name, []).extend(wrong)
    refuse(source, faults, [str(table.get("id")) for table in values.get("rule", [])])
    return rules


def read_rules(
    path: Path, *, labels: Sequence[str], positive: str, folding: FoldingConfig, today: date | None = None
) -> Rules:
    """Return the rules of a TOML file, with expiry judged on the day ``today``.

    Without ``today`` it is the file's key ``as_of``, else this day in UTC. Raises RuleError when the file is
    missing, is not TOML (with line and column) or has rules that cannot be used, all of which it names with
    the reason.
    """
    values = read_rules_toml(path)
    if today is not None:
        values.pop("as_of", None)
    return parse_rules(
        values,
        source=str(path),
        labels=labels,
        positive=positive,
        folding=folding,
        today=today or datetime.now(UTC).date(),
    )
