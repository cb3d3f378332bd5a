"""Every error that Assay raises on purpose.

AssayError
├── ConfigError            a task file or a setting that cannot be used
│   └── RuleError          a rule that cannot be used, named by its id
├── GoalError              a goal that no threshold reaches
├── DataError              labelled text that cannot be read or trained on
│   ├── ColumnError        a column that is missing or ambiguous
│   └── DownloadError      a named set that could not be fetched or does not match its checksum
├── TextError              a text that cannot be scored (empty, too long, not valid Unicode)
├── ArtifactError          a model folder that is damaged, incomplete or of an unknown format
├── ConversionError        a scikit-learn model that cannot become an artifact with the same answers
├── RegistryError          the registry said no
│   ├── RegistryUnavailable    it could not be reached or read
│   ├── VersionNotFound        it has no such model, version or alias
│   └── PromotionRefused       the version may not be promoted
├── DatabaseError          the people's database cannot be reached, read or written, or is of a newer Assay
│   └── LockHeld               somebody else is changing the same thing right now
├── LogError               the decision log cannot be read, searched or changed
├── BackupError            a backup or a restore that cannot be made, or a backup that is damaged
├── KeyRefused             a key that there is not, or may not be beside those that there are
├── RequestRefused         a request over HTTP that the service does not answer
└── MissingExtra           an optional package that the feature needs

Messages say what happened, the value, what is allowed and what to do. The data behind a message
is on the exception: ``error.data`` (row, column, version and the like).
"""

from typing import Any


class AssayError(Exception):
    """An error that a user can act on; ``data`` holds the values that its message names."""

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class ConfigError(AssayError):
    """A task file or a setting that cannot be used."""


class RuleError(ConfigError):
    """A rule that cannot be used; ``data['rules']`` maps the id of each faulty rule to its faults."""


class GoalError(AssayError):
    """A goal that no threshold reaches; ``data['best']`` says the best that can be had."""


class DataError(AssayError):
    """Labelled text that cannot be read or trained on."""


class ColumnError(DataError):
    """A column that is missing or ambiguous; ``data['columns']`` lists those that exist."""


class DownloadError(DataError):
    """A named set that could not be fetched, or whose bytes do not match its checksum."""


class TextError(AssayError):
    """A text that cannot be scored; ``data['index']`` is its place among the texts given."""


class ArtifactError(AssayError):
    """A model folder that is damaged, incomplete or of an unknown format."""


class ConversionError(AssayError):
    """A model that cannot become an artifact with the same answers."""


class RegistryError(AssayError):
    """The registry said no."""


class RegistryUnavailable(RegistryError):
    """The registry could not be reached or read."""


class VersionNotFound(RegistryError):
    """The registry has no such model, version or alias."""


class PromotionRefused(RegistryError):
    """The version may not be promoted."""


class DatabaseError(AssayError):
    """The people's database cannot be reached, read or written, or is of a newer Assay."""


class LockHeld(DatabaseError):
    """Somebody else is changing the same thing right now; ``data`` says what, who and since when."""


class LogError(AssayError):
    """The decision log cannot be read, searched or changed."""


class BackupError(AssayError):
    """A backup or a restore that cannot be made, or a backup that is damaged."""


class KeyRefused(AssayError):
    """A change of keys that cannot be made; ``data['keys']`` holds those that stand against it."""


class RequestRefused(AssayError):
    """A request over HTTP that the service does not answer.

    ``data`` holds the ``status``, the ``code`` and, where there are any, the ``detail`` of the error's body
    and more ``headers``.
    """


class MissingExtra(AssayError):
    """An optional package that the feature needs is not installed."""

    def __init__(self, feature: str, *, package: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the package {package!r}, which is not installed. "
            f"Install it with: pip install 'assay[{extra}]'",
            package=package,
            extra=extra,
        )
