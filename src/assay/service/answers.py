"""What a call can answer, as OpenAPI shows it: each status with what it means."""

from typing import Any

from assay.service.schemas import ErrorAnswer

Answers = dict[int | str, dict[str, Any]]

RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}


def _refusal(description: str, **more: Any) -> dict[str, Any]:
    return {"model": ErrorAnswer, "description": description, **more}


ANYWHERE: Answers = {
    401: _refusal("A key is needed, and none that is valid came"),
    403: _refusal("The key may not do this"),
    429: _refusal("Too many requests of this key or address", headers=RETRY),
    500: _refusal("A fault of the service; its log has the request's id"),
    503: _refusal("The service, the task's model or what else the call needs is not ready", headers=RETRY),
}
"""What any call can answer."""

TASK_REFUSALS: Answers = {404: _refusal("There is no such task or version")}

BODY_REFUSALS: Answers = {
    400: _refusal("The body is absent, not UTF-8, not JSON, or not the gzip that was promised"),
    413: _refusal("The body is too large"),
    415: _refusal("The body is not sent as JSON, or encoded with something other than gzip"),
    422: _refusal("Fields are wrong; each is named"),
}
"""What a call that reads a JSON body can answer beside."""
