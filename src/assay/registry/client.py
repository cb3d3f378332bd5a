"""MLflow's client: imported on first use, quiet, offline, and with its errors in our words."""

import fcntl
import logging
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.exceptions import MissingExtra, RegistryError
from assay.notation import covered
from assay.registry import rest, sql
from assay.registry.store import Store

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
}
"""MLflow reads these from the environment; they are set only while it works for us."""

UNREACHABLE = ("API request to", "OperationalError", "database is locked")


class Client:
    """A store opened for writing; ``session`` hands out MLflow's client."""

    def __init__(self, store: Store, home: Path) -> None:
        self.store = store
        self.home = home
        self._mlflow: Any = None
        self._lock = threading.Lock()

    @contextmanager
    def session(self) -> Iterator[Any]:
        """Hand out an ``MlflowClient``; its errors leave as RegistryError and RegistryUnavailable."""
        if self._mlflow is None:
            self._probe()
        with _quietly(), self._translated():
            if self._mlflow is None:
                self._mlflow = self._open()
            yield self._mlflow

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock file of the home folder, so that one process at a time sets up the store."""
        with self._lock:
            self.home.mkdir(parents=True, exist_ok=True)
            with (self.home / "registry.lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield

    def _probe(self) -> None:
        """Fail in seconds where MLflow retries for a minute, and leave other people's databases alone."""
        if self.store.kind == "http":
            with rest.connect(self.store) as server:
                server.get("registered-models/search", max_results=1)
            return
        with self.exclusive():
            sql.check_database(self.store)

    def _open(self) -> Any:
        from mlflow import MlflowClient

        with self.exclusive():
            uri = self.store.for_mlflow
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            # The first call creates the tables of a new database.
            client.search_registered_models(max_results=1)
            client.search_experiments(max_results=1)
            return client

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except RegistryError:
            raise
        except Exception as error:
            if not _from_store(error):
                raise
            reason = covered(_first_line(error))
            if any(mark in f"{type(error).__name__}: {error}" for mark in UNREACHABLE):
                raise sql.unreadable(self.store, reason) from error
            raise RegistryError(
                f"The registry {self.store.shown} refused: {reason}", uri=self.store.shown
            ) from error


def code_of(error: Exception) -> str:
    """Return MLflow's error code, such as ``RESOURCE_DOES_NOT_EXIST``."""
    return str(getattr(error, "error_code", ""))


def _from_store(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in (
        "mlflow",
        "sqlalchemy",
        "requests",
        "psycopg",
        "alembic",
    )


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


@contextmanager
def _quietly() -> Iterator[None]:
    """Run MLflow without its phone calls, progress bars, retries, tracebacks and stage warnings."""
    with environment(QUIET), warnings.catch_warnings():
        # Said to MLflow's own developers, about how it uses its libraries.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning, message=r".*transition_model_version_stage")
        try:
            import mlflow  # noqa: F401  # it configures its logger when it is imported
        except ImportError as error:
            raise MissingExtra("Writing to the registry", package="mlflow", extra="train") from error
        logger = logging.getLogger("mlflow")
        level = logger.level
        logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables that the environment leaves open, and take them away again."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
