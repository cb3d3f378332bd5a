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

from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from assay import scoring
from assay.cli import build_parser
from assay.config import Task
from assay.datasets import CATALOG
from assay.estimators import Decision, Manifest
from assay.exceptions import AssayError
from assay.service import Exchange, Models, create_app
from assay.settings import Settings
from assay.telemetry import LOG_FIELDS, Counters
from docs.meanings import FILES_OF_A_SET, SETTING_GROUPS, TASK_KEYS

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
    for name, field in Task.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from ((f"{name}.{key}", inner) for key, inner in field.annotation.model_fields.items())
        else:
            yield name, field


def task_table() -> str:
    """Return the keys of a task file with what they may be and their defaults."""
    rows = [
        (f"`{path}`", shown_type(field), shown_default(field), TASK_KEYS[path]) for path, field in task_keys()
    ]
    return table(("key", "value", "default", "meaning"), rows)


def shown_type(field: FieldInfo) -> str:
    """Return what a field may be, in words."""
    return ", ".join([type_words(field.annotation), *bounds_of(field.metadata)])


def bounds_of(metadata: Iterable[Any]) -> list[str]:
    """Return the bounds of a number, in words."""
    return [
        f"{BOUNDS[name]} {getattr(part, name)}" for part in metadata for name in BOUNDS if hasattr(part, name)
    ]


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
    default = list(field.default) if isinstance(field.default, tuple) else field.default
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


def metrics() -> dict[str, tuple[str, str, list[str]]]:
    """Return type, sentence and label names of every metric, by name, as Prometheus reads them."""
    counters = Counters()
    call = {"method": "POST", "path": "/batch", "status": 503, "code": "overloaded", "task": "spam"}
    counters.request(Exchange(request_id="1", rows=1, **call))  # type: ignore[arg-type]
    values = {"task": "spam", "label": "ham", "confidence": 1.0, "score": 0.0, "threshold": 0.5}
    counters.decided([Decision(**values, decided_by="model", model="SpamClassifier", version="1")])  # type: ignore[arg-type]
    counters.rejected("delay")
    counters.swapped("spam", "swapped")
    counters.serving("spam", "1")
    counters.degraded("redis", True)
    counters.drift("spam", "1", {"label": 0.0}, (), 1)
    found = {}
    for family in text_string_to_metric_families(counters.render().decode()):
        names = {name for sample in family.samples for name in sample.labels} - {"le"}
        if not family.samples[0].name.endswith("_created"):
            suffix = "_total" if family.type == "counter" else ""
            found[family.name + suffix] = (family.type, family.documentation, sorted(names))
    return found


def metrics_table() -> str:
    """Return the metrics."""
    rows = [
        (f"`{name}`", kind, ", ".join(f"`{label}`" for label in labels), says)
        for name, (kind, says, labels) in metrics().items()
    ]
    return table(("metric", "type", "labels", "meaning"), rows)


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
    "calls": calls_table,
    "metrics": metrics_table,
    "errors": errors_table,
    "log-fields": lambda: table(
        ("field", "meaning"), ((f"`{name}`", told) for name, told in LOG_FIELDS.items())
    ),
    "named-sets": sets_table,
    "score-columns": lambda: bullets(scoring.COLUMNS),
    "manifest-keys": lambda: bullets(Manifest.model_fields),
}

if __name__ == "__main__":
    main()
