"""The URI of MLflow's store: what kind it is, and how it may be shown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from assay.exceptions import RegistryError
from assay.notation import is_misread, without_credentials

MLFLOW_RELEASE = "3.17"
"""The MLflow that Assay is pinned to and tested against."""

SCHEMA = "dc11669786a5"
"""The database schema (alembic revision) of that release."""

Kind = Literal["sqlite", "postgresql", "http"]

KINDS: dict[str, Kind] = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "http": "http",
    "https": "http",
}
EXAMPLES = "sqlite:////absolute/path/mlflow.db, postgresql://user:password@host/database, https://host:5000"


@dataclass(frozen=True)
class Store:
    """A parsed store URI; its repr holds no password."""

    kind: Kind
    uri: str

    @property
    def shown(self) -> str:
        """The URI without credentials, for messages."""
        return without_credentials(self.uri)

    @property
    def path(self) -> Path:
        """The file of an sqlite store."""
        return Path(unquote(self.uri.removeprefix("sqlite:///").partition("?")[0]))

    @property
    def for_mlflow(self) -> str:
        """The URI that MLflow's client takes; PostgreSQL is reached through psycopg 3."""
        return f"postgresql+psycopg://{_rest(self.uri)}" if self.kind == "postgresql" else self.uri

    @property
    def for_psycopg(self) -> str:
        """The URI of a PostgreSQL store as libpq reads it."""
        return f"postgresql://{_rest(self.uri)}"

    def __repr__(self) -> str:
        return f"Store({self.shown!r})"


def parse_store(uri: str) -> Store:
    """Return the store of a URI.

    Raises RegistryError for a folder (``./mlruns``, ``file:``), which MLflow no longer takes as a
    store, for an in-memory or driver-less form that cannot be shared, and for an unknown scheme.
    """
    scheme = uri.partition(":")[0].partition("+")[0].lower() if ":" in uri else "file"
    kind = KINDS.get(scheme)
    if scheme == "file":
        shown = uri if Path(uri).exists() else without_credentials(uri)
        raise RegistryError(
            f"{shown!r} is a folder of files, and MLflow {MLFLOW_RELEASE} keeps runs and versions "
            f"in a database. Use one of {EXAMPLES}.",
            uri=shown,
        )
    if kind is None:
        raise RegistryError(
            f"The store {without_credentials(uri)!r} is of no kind that Assay reads. Use one of {EXAMPLES}."
        )
    store = Store(kind, uri.rstrip("/") if kind == "http" else uri)
    if kind == "postgresql" and is_misread(uri):
        raise unreadable_uri(store)
    if kind == "sqlite" and (not uri.startswith("sqlite:///") or store.path.name in ("", ":memory:")):
        raise RegistryError(
            f"{uri!r} names no file. An sqlite store has three slashes and a path: sqlite:////absolute/path/mlflow.db.",
            uri=uri,
        )
    return store


def unreadable_uri(store: Store) -> RegistryError:
    """Return the error for a URI that a library cannot take apart.

    What the library itself says may quote a piece of the password.
    """
    return RegistryError(
        f"{store.shown!r} cannot be read as the URI of a store. Percent-encode what is special in user and "
        "password (@ as %40, / as %2F, : as %3A, ? as %3F, # as %23).",
        uri=store.shown,
    )


def _rest(uri: str) -> str:
    return uri.partition("://")[2]
