"""What a service logs, when somebody's message holds a secret after all."""

import io
import logging
from collections.abc import Iterator

import pytest

from assay.serving.redaction import LOGGERS, Redaction, redact_logs, secrets_of
from assay.settings import Settings

SETTINGS = Settings(
    database="postgresql://ann:db-hun%40ter2@host/db",
    redis="rediss://:re-hunter2@host:6379/0",
    tracking_uri="https://ann:ml-hunter2@host",
    decision_key="key://hunter2",
)


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What a handler of each logger writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
    yield stream
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(handler)


def test_every_secret_of_the_settings_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "token-hunter2")
    assert secrets_of(SETTINGS) == {
        *("db-hun%40ter2", "db-hun@ter2", "re-hunter2", "ml-hunter2", "key://hunter2", "token-hunter2")
    }


def test_a_word_where_a_uri_should_be_is_a_secret_and_a_short_one_is_not_looked_for() -> None:
    settings = Settings.model_construct(
        **{**dict(SETTINGS), "database": "hunter2", "redis": "redis://:abc@h"}
    )
    assert secrets_of(settings) == {"hunter2", "ml-hunter2", "key://hunter2"}


def test_messages_and_tracebacks_lose_their_secrets_and_nothing_else(said: io.StringIO) -> None:
    redact_logs(SETTINGS)
    logger = logging.getLogger("assay.somewhere")
    logger.warning("Invalid port: %r of %s", "ml-hunter2", "host")
    try:
        raise ValueError("db-hun@ter2 is wrong")
    except ValueError:
        logger.exception("%d %% broke", 100)
    logging.getLogger("uvicorn").warning("%d x", 3, extra={"color_message": "re-hunter2 %d"})
    logging.getLogger("uvicorn").warning("re-hunter2 %d", 3, extra={"color_message": "re-hunter2 %d"})
    lines = said.getvalue().splitlines()
    assert lines[:2] == ["Invalid port: '***' of host", "100 % broke"]
    assert "ValueError: *** is wrong" in lines
    assert lines[-2:] == ["3 x", "*** 3"]
    assert "hunter2" not in said.getvalue()


def test_the_longest_secret_is_replaced_first() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "hunter2-long and hunter2", (), None)
    Redaction(frozenset({"hunter2", "hunter2-long"})).filter(record)
    assert record.getMessage() == "*** and ***"
