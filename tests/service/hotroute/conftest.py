"""The hot route under watch."""

import pytest

from tests.service.hotroute.hot import Heat


@pytest.fixture
def heat(monkeypatch: pytest.MonkeyPatch) -> Heat:
    """What became of requests at the hot route."""
    heat = Heat()
    heat.watch(monkeypatch)
    return heat
