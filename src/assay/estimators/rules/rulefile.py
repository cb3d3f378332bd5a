"""A rules file: TOML to rules, or every fault of every rule in one error."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assay.config import faults
from assay.estimators.rules.patterns import compile_pattern
from assay.estimators.rules.rule import Rule
from assay.estimators.rules.syntax import PatternFault, tokens
from assay.estimators.rules.word_edges import expand, has_edges
from assay.estimators.texts import fault_of
from assay.exceptions import RuleError

MAX_RULES = 1_000
"""The most rules of a task."""
MAX_BYTES = 1 << 20
"""The largest file of rules (1 MiB)."""

Faults = dict[str, list[str]]
"""What is wrong with rules, by their ids."""


def read_rules_toml(path: Path) -> dict[str, Any]:
    """Return what a rules file holds.

    Raises RuleError when it is missing, too large, cannot be read or is not TOML (with line and column).
    """
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise RuleError(f"{path} has {size:,} bytes; a rules file has at most {MAX_BYTES:,}.", path=path)
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors write a mark first
    except FileNotFoundError as error:
        raise RuleError(f"There is no rules file {str(path)!r}.", path=path) from error
    except OSError as error:
        raise RuleError(f"{path} cannot be read: {error.strerror}.", path=path) from error
    except UnicodeDecodeError as error:
        raise RuleError(f"{path} is not TOML: {_place_of(error)}.", path=path) from error
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{path} is not TOML: {error}", path=path) from error
    except RecursionError as error:
        raise RuleError(f"{path} is not a rules file: it is nested too deeply.", path=path) from error


def _place_of(error: UnicodeDecodeError) -> str:
    before = error.object[: error.start]
    line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode()) + 1
    return f"byte 0x{error.object[error.start]:02x} is not valid UTF-8 (at line {line}, column {column})"


def as_of(values: Mapping[str, Any], source: str, today: date) -> date:
    """Return the day on which expiry is judged: the file's key ``as_of``, else today."""
    day = values.get("as_of", today)
    if type(day) is not date:
        raise RuleError(
            f"{source}: as_of must be a date like {today}, without quotes; got {day!r:.80}.", source=source
        )
    return day


def rules_of(values: Mapping[str, Any], source: str, labels: Sequence[str]) -> tuple[list[Rule], Faults]:
    """Return the rules of a file that are sound in themselves, and the faults of the others.

    Raises RuleError where the file as a whole is not one of rules.
    """
    unknown = sorted(set(values) - {"rule", "as_of"})
    if unknown:
        raise RuleError(
            f"{source} has unknown keys {unknown}; it holds [[rule]] tables and may name as_of.",
            source=source,
        )
    tables = values.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RuleError(f"{source}: every rule must be a table under [[rule]].", source=source)
    if len(tables) > MAX_RULES:
        raise RuleError(
            f"{source} has {len(tables):,} rules; at most {MAX_RULES:,} are allowed. "
            "Join patterns by |, or remove rules that `assay rules check` calls dead.",
            source=source,
        )
    return _sound(tables, labels)


def _sound(tables: list[dict[str, Any]], labels: Sequence[str]) -> tuple[list[Rule], Faults]:
    rules: list[Rule] = []
    found: Faults = {}
    for number, table in enumerate(tables, start=1):
        name = table["id"] if isinstance(table.get("id"), str) and table["id"] else f"(rule {number})"
        rule, wrong = _rule_of(table)
        if rule is not None:
            wrong += _faults_of(rule, labels)
            rules.append(rule)
        if wrong:
            found.setdefault(name, []).extend(wrong)
    counts = Counter(str(table.get("id")) for table in tables if table.get("id"))
    for name, times in counts.items():
        if times > 1:
            found.setdefault(name, []).append(f"its id stands {times} times; an id names one rule")
    return [rule for rule in rules if rule.id not in found], found


def _rule_of(table: dict[str, Any]) -> tuple[Rule | None, list[str]]:
    known = list(Rule.model_fields)
    wrong = [
        f"{key!r} is no key of a rule; those are {', '.join(known)}" for key in table if key not in known
    ]
    try:
        rule = Rule.model_validate({key: value for key, value in table.items() if key in known})
    except ValidationError as error:
        return None, wrong + [line.strip() for line in faults(error).splitlines()]
    return rule, wrong


def _faults_of(rule: Rule, labels: Sequence[str]) -> list[str]:
    wrong = []
    if rule.label not in labels:
        wrong.append(f"its label {rule.label!r} is not one of the task's labels {list(labels)}")
    for text in (*rule.examples, *rule.counterexamples):
        if fault := fault_of(text):
            wrong.append(f"its example {text!r:.80} {fault}")
    return wrong + _faults_of_pattern(rule.pattern)


def _faults_of_pattern(pattern: str) -> list[str]:
    try:
        compile_pattern(pattern)
    except ValueError as error:
        return [
            f"RE2 cannot read its pattern {pattern!r:.80}: {error} "
            "(look-around and back-references are not supported)"
        ]
    if r"\C" in tokens(pattern):
        return [r"its pattern matches single bytes by \C; rules read characters"]
    try:
        exact = expand(pattern).exact if has_edges(pattern) else pattern
        matches_nothing = compile_pattern(exact).search("") is not None
    except PatternFault as error:
        return [f"its pattern {pattern!r:.80} {error}"]
    except ValueError as error:
        return [rf"its pattern {pattern!r:.80} grows too large by its \< and \>: {error}"]
    if matches_nothing:
        return [f"its pattern {pattern!r:.80} matches the empty text, and so every text"]
    return []


def refuse(source: str, found: Faults, order: Iterable[str] = ()) -> None:
    """Raise RuleError with all faults of all rules, a line each, if there are any."""
    if not found:
        return
    names = list(dict.fromkeys([*(name for name in order if name in found), *found]))
    lines = [f"  {name}: {fault}" for name in names for fault in found[name]]
    raise RuleError(
        f"{source} has rules that cannot be used:\n" + "\n".join(lines),
        source=source,
        rules={name: found[name] for name in names},
    )
