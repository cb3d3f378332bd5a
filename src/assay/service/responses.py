"""The forms in which answers leave."""

from typing import Any

import orjson
from starlette.responses import Response


def encoded(value: Any) -> bytes:
    """Return a value as JSON."""
    return orjson.dumps(value)


def json_response(value: Any, status: int = 200) -> Response:
    """Return a response of a value as JSON."""
    return Response(encoded(value), status, media_type="application/json")
