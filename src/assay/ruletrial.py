"""``assay rules test``: which rules of a task fire on a text, where, and what they decide."""

from typing import TYPE_CHECKING

from assay.config import Task, read_task, task_files
from assay.estimators import fault_of, rules_of
from assay.exceptions import ConfigError, TextError
from assay.settings import Settings
from assay.taskfiles import refuse_without_rules, task_of

if TYPE_CHECKING:
    from assay.estimators import Hit

PLACES_SHOWN = 5
"""How many of the places where a rule fires are shown."""
LONGEST_SHOWN = 60
"""How many characters of such a place are shown."""


def try_rules(text: str, reference: str | None, settings: Settings) -> list[str]:
    """Return which rules of a task fire on a text, where, and what they decide, for people.

    ``reference`` is a task's name or path; None means the only task file with rules. Raises TextError for
    a text that could not be scored, ConfigError, RuleError.
    """
    if fault := fault_of(text):
        raise TextError(f"The text {fault}.", index=0)
    task = task_of(reference, settings, columns={}) if reference else only_task_with_rules(settings)
    refuse_without_rules(task)
    rules = rules_of(task)
    off = f"; off: {', '.join(f'{rule.id} (expired on {rule.expires})' for rule in rules.expired)}"
    head = f"{task.rules}: {len(rules.active)} active {'rule' if len(rules.active) == 1 else 'rules'}"
    hits = rules.find(text)
    return [head + (off if rules.expired else ""), *(told(hit, text) for hit in hits), outcome(hits)]


def only_task_with_rules(settings: Settings) -> Task:
    """Return the one task of the folder of tasks whose file names rules. Raises ConfigError."""
    found = [task for task in map(read_task, task_files(settings.tasks)) if task.rules]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"No task file in {str(settings.tasks)!r} names rules. Name a file of them in one, as "
            'rules = "NAME.rules.toml", or name a task that is saved with a version: --task NAME.'
        )
    names = [task.name for task in found]
    raise ConfigError(f"{names} have rules in {str(settings.tasks)!r}. Say which is meant: --task NAME.")


def told(hit: "Hit", text: str) -> str:
    """Return where a rule fired, in one line."""
    places = [f"{start}-{end} {shortened(text[start:end])}" for start, end in hit.spans[:PLACES_SHOWN]]
    if len(hit.spans) > PLACES_SHOWN:
        places.append(f"and {len(hit.spans) - PLACES_SHOWN:,} more")
    rule = hit.rule
    view = " (folded)" if rule.view == "folded" else ""
    return f"  {rule.id}: {rule.action} {rule.label!r}{view} at {', '.join(places)}"


def shortened(text: str) -> str:
    """Return a piece of text in quotes, its middle left out when it is long."""
    if len(text) > LONGEST_SHOWN:
        half = LONGEST_SHOWN // 2
        text = f"{text[:half]} ... {text[-half:]}"
    return repr(text)


def outcome(hits: "list[Hit]") -> str:
    """Return what the rules that fired decide: the first one that decides does."""
    deciding = [hit.rule for hit in hits if hit.rule.action == "decide"]
    if deciding:
        return f"Decided: {deciding[0].label!r}, by {deciding[0].id}."
    return f"No rule decides; the model does{', with this evidence' if hits else ''}."
