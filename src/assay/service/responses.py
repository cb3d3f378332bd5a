"""The forms in which answers leave."""

from typing import Any

import orjson
from starlette.responses import Response


def json_response(value: Any, status: int = 200) -> Response:
    """Return a value as JSON."""
    return Response(orjson.dumps(value), status, media_type="application/json")
