"""Requests as the log is told of them, and its lines as they are read."""

import json
from pathlib import Path
from typing import Any

from assay.service import Exchange


def exchange(number: int = 0, **known: Any) -> Exchange:
    """Return a request that was answered."""
    call = {"method": "POST", "path": "/predict", "route": "/predict", "status": 200, "address": "10.0.0.1"}
    return Exchange(request_id=f"id-{number}", **call | known)


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; each must be whole."""
    data = path.read_bytes()
    assert not data or data.endswith(b"\n")
    return [json.loads(line) for line in data.split(b"\n")[:-1]]
