"""What a service logs, without what is secret: the last guard, behind messages that show none themselves."""

import logging
import os

from assay import notation
from assay.settings import BARE_SECRET, MARKED, SECRETS, Settings

LOGGERS = ("assay", "uvicorn")
OF_MLFLOW = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
SHORTEST = 4
"""Characters of the shortest secret that is looked for: a shorter one would blot out half of each line."""


def redact_logs(settings: Settings) -> None:
    """Keep the secrets of the settings out of what this process and its workers log from now on."""
    redaction = Redaction(secrets_of(settings))
    for name in LOGGERS:
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(redaction)


def secrets_of(settings: Settings) -> frozenset[str]:
    """Return every secret that the settings, and MLflow's own variables, hold."""
    found = {os.environ.get(name, "") for name in OF_MLFLOW}
    for name in SECRETS:
        value = getattr(settings, name)
        bare = MARKED[name] == BARE_SECRET or "://" not in value
        found |= {value} if bare else notation.passwords(value)
    return frozenset(text for text in found if len(text) >= SHORTEST)


class Redaction(logging.Filter):
    """Replaces secrets by ``***`` in messages and in tracebacks."""

    def __init__(self, secrets: frozenset[str]) -> None:
        super().__init__()
        # A longer one may begin with a shorter one.
        self._secrets = sorted(secrets, key=len, reverse=True)

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a record that holds a secret; none is left out."""
        message = record.getMessage()
        if (hidden := self._hide(message)) != message:
            record.msg, record.args = hidden, ()
            # uvicorn's form of the same message for terminals.
            record.__dict__.pop("color_message", None)
        if record.exc_info:
            record.exc_text = self._hide(logging.Formatter().formatException(record.exc_info))
        return True

    def _hide(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text
