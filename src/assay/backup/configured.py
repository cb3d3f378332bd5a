"""The settings that a process was given, as a settings file without anything secret."""

import json
from collections.abc import Iterator
from pathlib import Path

from assay.settings import SECRETS, Settings, shown

HEAD = "# Settings as they were when this backup was made; ASSAY_SETTINGS can name this file.\n"


def settings_toml(settings: Settings) -> str:
    """Return the settings that are not the default, in TOML; what may hold a password as a comment.

    >>> print(settings_toml(Settings(port=9000, redis="redis://:s3cret@cache:6379/0")), end="")
    # Settings as they were when this backup was made; ASSAY_SETTINGS can name this file.
    port = 9000
    # redis: redis://***@cache:6379/0 (not kept: it may hold a password)
    """
    return HEAD + "".join(f"{line}\n" for line in _lines(settings))


def _lines(settings: Settings) -> Iterator[str]:
    told = shown(settings)
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value == field.default:
            continue
        if name in SECRETS:
            yield f"# {name}: {told[name]} (not kept: it may hold a password)"
        else:
            plain = str(value) if isinstance(value, Path) else value
            # A JSON text without escapes beyond those of TOML: settings have no control characters.
            yield f"{name} = {json.dumps(plain, ensure_ascii=False)}"
