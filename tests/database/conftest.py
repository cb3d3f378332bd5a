"""New databases of both kinds, and what tests do with one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assay import database as module
from tests.databases import own_schema
from tests.servers import postgres_missing, postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URI of a running PostgreSQL."""
    if reason := postgres_missing():
        pytest.skip(reason)
    with postgres_server() as uri:
        yield uri


@pytest.fixture
def postgresql(server: str) -> str:
    """The URI of an empty schema."""
    return own_schema(server)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URI of a file that does not exist yet, in a folder that does not either."""
    return f"sqlite:///{tmp_path / 'home' / 'assay.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request: pytest.FixtureRequest) -> str:
    """A new database of each kind."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a fraction of a second for the write lock."""
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    hasty = tuple(each.replace("5s", "200ms") for each in module._Postgresql.writes)
    assert hasty != module._Postgresql.writes
    monkeypatch.setattr(module._Postgresql, "writes", hasty)
