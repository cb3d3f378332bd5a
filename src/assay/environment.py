"""What a process was given as settings, from options, environment and files, each value with its origin."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from pydantic import ValidationError

from assay.exceptions import ConfigError
from assay.settings import ONE_BY_ONE, SECRETS, Settings

PREFIX = "ASSAY_"
FILE = "_FILE"
SETTINGS = "ASSAY_SETTINGS"
KERNEL = "ASSAY_KERNEL"
"""Read by ``assay.estimators``, which gets no settings: it only chooses between two ways to one answer."""
LONGEST_SECRET = 64 * 1024

TYPES: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "text in quotes"),
    Path: ((str,), "text in quotes"),
}
"""What a value may be in TOML, by what the setting is."""


class Given(NamedTuple):
    """The value of one setting as it was written, and where."""

    value: object
    origin: str


def read_settings(
    environment: Mapping[str, str] = os.environ, options: Mapping[str, object] | None = None
) -> Settings:
    """Return the settings of options, environment and files, the strongest first.

    Raises ConfigError that names every value that does not fit and every name that is no setting.
    """
    reading = Reading(environment, options or {})
    settings = reading.settle()
    if reading.faults:
        lines = "\n".join(f"  {fault}" for fault in reading.faults)
        raise ConfigError(f"The settings cannot be used:\n{lines}", faults=tuple(reading.faults))
    return settings


def origins(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return where each setting that has a value of its own was found."""
    return {name: given.origin for name, given in Reading(environment, {}).given.items()}


def files_with_secrets(environment: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """Yield the files that the environment names and that may hold a password."""
    names = [SETTINGS, *(variable_of(name) + FILE for name in SECRETS)]
    yield from (Path(environment[name]) for name in names if environment.get(name))


class Reading:
    """The values that each source gives, stronger ones over weaker ones, and every fault that was met."""

    def __init__(self, environment: Mapping[str, str], options: Mapping[str, object]) -> None:
        self.given: dict[str, Given] = {}
        self.faults: list[str] = []
        if uri := environment.get("MLFLOW_TRACKING_URI"):
            self.given["tracking_uri"] = Given(uri, "MLFLOW_TRACKING_URI")
        if path := environment.get(SETTINGS):
            self._read_file(path)
        self._read_environment(environment)
        for name, value in options.items():
            self.given[name] = Given(value, f"--{name.replace('_', '-')}")

    def settle(self) -> Settings:
        """Return the settings, those that do not fit left out and added to the faults."""
        # What is empty stands for the default, also over a weaker source.
        values = {name: given.value for name, given in self.given.items() if given.value != ""}
        wrong: dict[str, str] = {}
        try:
            settings = Settings.model_validate(values, context=ONE_BY_ONE)
        except ValidationError as error:
            wrong = {str(fault["loc"][0]): fault["msg"] for fault in error.errors(include_url=False)}
            rest = {name: value for name, value in values.items() if name not in wrong}
            settings = Settings.model_validate(rest, context=ONE_BY_ONE)
        for name, message in wrong.items():
            got = "" if name in SECRETS else f" (got {values[name]!r:.80})"
            self.faults.append(f"{self.given[name].origin}: {message.removeprefix('Value error, ')}{got}")
        for names, why in settings.disagreements():
            if not set(names) & set(wrong):
                where = " and ".join(self.given[name].origin for name in names if name in values)
                self.faults.append(f"{where}: {why}")
        return settings

    def _read_file(self, path: str) -> None:
        try:
            values = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            # A parser's message names the place; it never shows the value, which may be secret.
            what = getattr(error, "strerror", None) or f"it is not TOML: {error}"
            if isinstance(error, UnicodeDecodeError):
                what = f"it is not UTF-8: byte {error.start:,} ({error.reason})"
            self.faults.append(f"{SETTINGS}: {path!r} cannot be used: {what}")
            return
        for name, value in values.items():
            origin = f"{name} in {path}"
            if name not in KINDS:
                self._refuse_unknown(origin, name, str)
            elif type(value) not in TYPES[KINDS[name]][0]:
                wanted = TYPES[KINDS[name]][1]
                self.faults.append(f"{origin}: this must be {wanted}; it is {type(value).__name__}")
            else:
                self.given[name] = Given(value, origin)

    def _read_environment(self, environment: Mapping[str, str]) -> None:
        for variable in sorted(environment):
            name = variable.removeprefix(PREFIX).lower()
            if not variable.startswith(PREFIX) or variable in (SETTINGS, KERNEL):
                continue
            secret = name.removesuffix(FILE.lower())
            if variable == variable_of(name) and name in KINDS:
                self.given[name] = Given(environment[variable], variable)
            elif variable == variable_of(secret) + FILE and secret in SECRETS:
                self._read_secret(variable, secret, environment)
            elif secret in KINDS and secret != name:
                files = ", ".join(variable_of(each) + FILE for each in SECRETS)
                self.faults.append(f"{variable}: only what may hold a password is read from a file: {files}")
            else:
                self._refuse_unknown(variable, name, variable_of)

    def _read_secret(self, variable: str, name: str, environment: Mapping[str, str]) -> None:
        path, plain = environment[variable], variable_of(name)
        if not path:
            return
        if environment.get(plain):
            self.faults.append(f"{variable}: {plain} is set as well; keep one of the two")
            return
        try:
            with Path(path).open("rb") as file:
                text = file.read(LONGEST_SECRET + 1).decode("utf-8")
        except (OSError, ValueError) as error:
            what = getattr(error, "strerror", None) or "it is not UTF-8"
            self.faults.append(f"{variable}: the file {path!r} cannot be read: {what}")
            return
        value = text.removesuffix("\n").removesuffix("\r")
        if value and len(text) <= LONGEST_SECRET:
            self.given[name] = Given(value, variable)
            return
        what = f"is longer than {LONGEST_SECRET:,} bytes" if value else "is empty"
        self.faults.append(f"{variable}: the file {path!r} {what}; it must hold the value and nothing else")

    def _refuse_unknown(self, origin: str, name: str, written: Callable[[str], str]) -> None:
        from difflib import get_close_matches

        near = get_close_matches(name.lower().removeprefix(PREFIX.lower()), KINDS, n=1)
        names = ", ".join(map(written, KINDS))
        meant = f"did you mean {written(near[0])}?" if near else f"there are {names}"
        self.faults.append(f"{origin}: there is no such setting; {meant}")


def variable_of(name: str) -> str:
    """Return the variable of a setting."""
    return PREFIX + name.upper()


def _kind(annotation: object) -> type:
    """Return what a setting is; of ``Path | None`` that is Path."""
    # One of a few words is text.
    kinds = (annotation, *get_args(annotation), str)
    return next(kind for kind in kinds if isinstance(kind, type))


KINDS = {name: _kind(field.annotation) for name, field in Settings.model_fields.items()}
"""What each setting is."""
