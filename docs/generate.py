"""Write the generated parts of the pages: ``make docs``, or ``python -m docs.generate``.

A page holds ``<!-- generated: NAME -->`` and ``<!-- end of generated -->``; what stands between them is
made from the code and never edited by hand.
"""

import argparse
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from assay import scoring
from assay.cli import build_parser
from assay.config import Task
from assay.datasets import CATALOG
from assay.estimators import Manifest
from assay.exceptions import AssayError
from assay.service import Models, create_app
from assay.settings import Settings
from assay.telemetry import DECISION_FIELDS, LOG_FIELDS, Counters
from assay.telemetry.metrics.families import Family, families
from docs.meanings import FILES_OF_A_SET, OVER_WORKERS, SETTING_GROUPS, TASK_KEYS
from docs.watching import alerts, metrics_of, used_by

PAGES = Path(__file__).parent
MARKED = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)
SETTING_HEAD = ("variable", "default", "meaning")
TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false"}
BOUNDS = {"ge": "at least", "gt": "over", "le": "at most", "lt": "under", "min_length": "at least"}


def main() -> None:
    """Write every page that has generated parts."""
    for path in pages():
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


def pages() -> list[Path]:
    """Return the pages that have generated parts."""
    return [path for path in sorted(PAGES.rglob("*.md")) if MARKED.search(path.read_text(encoding="utf-8"))]


def filled(page: str) -> str:
    """Return a page with its generated parts made anew; raises KeyError for an unknown part."""
    return MARKED.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}{found[3]}", page)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    cells = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |\n" for row in cells)


def commands(parser: argparse.ArgumentParser | None = None) -> Iterator[argparse.ArgumentParser]:
    """Yield the parser of every command, those of a group one by one."""
    parser = parser or build_parser()
    groups = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not groups:
        yield parser
    for group in groups:
        for command in group.choices.values():
            yield from commands(command)


def command_sections() -> str:
    """Return a section a command, with its arguments."""
    sections = []
    for command in commands():
        arguments = [each for each in command._actions if each.dest != "help"]
        rows = [(argument_name(each), argument_meaning(each)) for each in arguments]
        listed = table(("argument", "meaning"), rows) if rows else "It takes no arguments.\n"
        sections.append(f"## `{command.prog}`\n\n{command.description}\n\n{listed}")
    return "\n" + "\n".join(sections) + "\n"


def argument_name(argument: argparse.Action) -> str:
    """Return an argument as it is typed."""
    named = argument.metavar or argument.dest.upper()
    values = "" if argument.nargs == 0 else " " + (named if isinstance(named, str) else " ".join(named))
    if argument.option_strings:
        return ", ".join(f"`{name}{values}`" for name in argument.option_strings)
    name = argument.dest.upper()
    return f"`[{name}]`" if argument.nargs == "?" else f"`{name}`"


def argument_meaning(argument: argparse.Action) -> str:
    """Return an argument's help, what it may be and its default."""
    choices = "one of " + ", ".join(f"`{each}`" for each in argument.choices) if argument.choices else ""
    says = (argument.help or "").removesuffix(" (%(default)s)") % vars(argument)
    default = f"default `{argument.default}`" if isinstance(argument.default, str) else ""
    return "; ".join(filter(None, (says, choices, default)))


def settings_table() -> str:
    """Return the settings with their defaults."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    group = ""
    for name, field in Settings.model_fields.items():
        group = SETTING_GROUPS.get(name, group)
        row = (f"`ASSAY_{name.upper()}`", shown_default(field), f"{field.description}")
        groups.setdefault(group, []).append(row)
    tables = [f"### {name}\n\n{table(SETTING_HEAD, rows)}" for name, rows in groups.items()]
    return "\n" + "\n".join(tables) + "\n"


def log_fields_table() -> str:
    """Return the fields that a line of the request log may have."""
    return table(("field", "meaning"), ((f"`{name}`", meaning) for name, meaning in LOG_FIELDS.items()))


def task_keys() -> Iterator[tuple[str, FieldInfo]]:
    """Yield the path and the field of every key of a task file."""
    yield from section_keys()
    for family in estimator_families().values():
        yield from ((f"estimator.{key}", inner) for key, inner in family.model_fields.items())


def section_keys() -> Iterator[tuple[str, FieldInfo]]:
    """Yield the keys that every task has: all but those of a family of estimators."""
    for name, field in Task.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from ((f"{name}.{key}", inner) for key, inner in field.annotation.model_fields.items())
        elif name != "estimator":
            yield name, field


def estimator_families() -> dict[str, type[BaseModel]]:
    """Return the settings of each family of estimators, by its name."""
    kinds = [typing.get_args(each)[0] for each in typing.get_args(Task.model_fields["estimator"].annotation)]
    return {typing.get_args(kind.model_fields["family"].annotation)[0]: kind for kind in kinds}


def task_table() -> str:
    """Return the keys that every task has with what they may be and their defaults."""
    return key_table(section_keys())


def estimator_tables() -> str:
    """Return the keys of each family of estimators."""
    tables = [
        f"### {name}\n\n{key_table((f'estimator.{key}', inner) for key, inner in kind.model_fields.items())}"
        for name, kind in estimator_families().items()
    ]
    return "\n" + "\n".join(tables) + "\n"


def key_table(keys: Iterable[tuple[str, FieldInfo]]) -> str:
    """Return keys of a task file with what they may be, their defaults and what they mean."""
    rows = [(f"`{path}`", shown_type(field), shown_default(field), TASK_KEYS[path]) for path, field in keys]
    return table(("key", "value", "default", "meaning"), rows)


def shown_type(field: FieldInfo) -> str:
    """Return what a field may be, in words."""
    return ", ".join([type_words(field.annotation), *bounds_of(field.metadata)])


def bounds_of(metadata: Iterable[Any]) -> list[str]:
    """Return the bounds of a number, or of the length of a list, in words."""
    bounds = ((name, getattr(part, name)) for part in metadata for name in BOUNDS if hasattr(part, name))
    # That a text is not empty goes without saying.
    return [f"{BOUNDS[name]} {bound}" for name, bound in bounds if (name, bound) != ("min_length", 1)]


def type_words(annotation: Any) -> str:
    """Return a type, in words."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(f'`"{value}"`' for value in arguments)
    if origin in (typing.Union, UnionType):
        return type_words(arguments[0])
    if origin is typing.Annotated:
        return ", ".join([type_words(arguments[0]), *bounds_of(arguments[1].metadata)])
    if origin is dict:
        return "table of text to text" if arguments[1] is str else "tables of their own"
    if origin is tuple:
        return tuple_words(arguments)
    return TYPES[annotation]


def tuple_words(arguments: tuple[Any, ...]) -> str:
    """Return a tuple of these types, in words: texts, or the two ends of a range."""
    if arguments[1] is Ellipsis:
        known = " or ".join(f'`"{value}"`' for value in typing.get_args(arguments[0]))
        tables = isinstance(arguments[0], type) and issubclass(arguments[0], BaseModel)
        return f"list of {known}" if known else "tables of their own" if tables else "list of texts"
    whole = typing.get_args(arguments[0])[0] is int
    return f"two {'whole numbers, 1 to 10' if whole else 'numbers, 0 to 1'}, rising"


def shown_default(field: FieldInfo) -> str:
    """Return a field's default as a task file or the environment writes it; empty for none."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    default = list(default) if isinstance(default, tuple) else default
    if default in (None, "", {}):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def calls() -> list[tuple[str, str, str]]:
    """Return method, path and sentence of every call of the service."""
    app = create_app(Models(), metrics=Counters())
    return [
        (method.upper(), path, operation["description"])
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    ]


def calls_table() -> str:
    """Return the calls of the service."""
    return table(("call", "what it does"), [(f"`{method} {path}`", says) for method, path, says in calls()])


def metrics() -> dict[str, Family]:
    """Return every metric by its name."""
    return {family.name: family for family in families()}


def metrics_table() -> str:
    """Return the metrics, how workers make one value, and where each is looked at."""
    rows = []
    for family in families():
        alerts, panels = used_by(family.name)
        labels = ", ".join(f"`{label}`" for label in family.labels)
        seen = "; ".join([*(f"`{alert}`" for alert in alerts), *panels])
        over = OVER_WORKERS[family.over]
        rows.append((f"`{family.name}`", family.kind, labels, family.meaning, over, seen))
    return table(("metric", "type", "labels", "meaning", "over workers", "alerts and panels"), rows)


def alerts_table() -> str:
    """Return the alerts with what they look at."""
    rows = [
        (
            f"`{rule['alert']}`",
            rule["labels"]["severity"],
            rule.get("for", "at once"),
            ", ".join(f"`{name}`" for name in sorted(metrics_of(rule["expr"]))) or "`up`",
        )
        for rule in alerts()
    ]
    return table(("alert", "severity", "after", "looks at"), rows)


def errors(base: type[AssayError] = AssayError) -> Iterator[type[AssayError]]:
    """Yield an exception and those below it, as the tree of ``exceptions.py`` lists them."""
    yield base
    for below in base.__subclasses__():
        yield from errors(below)


def errors_table() -> str:
    """Return the exceptions with what each means."""
    rows = [
        (
            f"`{error.__name__}`",
            f"`{error.__bases__[0].__name__}`",
            " ".join((error.__doc__ or "").split()).replace("``", "`"),
        )
        for error in errors()
    ]
    return table(("exception", "is a", "meaning"), rows)


def sets_table() -> str:
    """Return the named sets of the catalogue."""
    rows = [
        (f"`{each.name}`", f"{each.rows:,}", ", ".join(each.labels), each.title, each.licence, kind_of(each))
        for each in CATALOG.values()
    ]
    return table(("name", "rows", "labels", "what it is", "licence", "fetched from"), rows)


def kind_of(named: Any) -> str:
    """Return where the files of a named set come from, in words."""
    return FILES_OF_A_SET[type(next(iter(named.files.values()))).__name__]


def bullets(names: Iterable[str]) -> str:
    """Return names as one line of code words."""
    return ", ".join(f"`{name}`" for name in names) + ".\n"


PARTS: dict[str, Callable[[], str]] = {
    "commands": command_sections,
    "settings": settings_table,
    "task-keys": task_table,
    "estimator-keys": estimator_tables,
    "calls": calls_table,
    "metrics": metrics_table,
    "alerts": alerts_table,
    "errors": errors_table,
    "log-fields": lambda: table(
        ("field", "meaning"), ((f"`{name}`", told) for name, told in LOG_FIELDS.items())
    ),
    "decision-fields": lambda: table(
        ("field", "meaning"), ((f"`{name}`", told) for name, told in DECISION_FIELDS.items())
    ),
    "named-sets": sets_table,
    "score-columns": lambda: bullets(scoring.COLUMNS),
    "manifest-keys": lambda: bullets(Manifest.model_fields),
}

if __name__ == "__main__":
    main()
