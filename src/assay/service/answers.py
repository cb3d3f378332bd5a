"""What a call can answer, as OpenAPI shows it: each status with what it means."""

from typing import Any

Answers = dict[int | str, dict[str, Any]]

RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}}


ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
"""The shape of all errors. FastAPI defines it once, for the call's own 500: given the model each time, it
would build a serializer for each status of each call, which takes a third of what the application takes."""


def refusal(description: str, **more: Any) -> dict[str, Any]:
    """Return what OpenAPI shows of a refusal."""
    return {"description": description, "content": ERROR, **more}


def anywhere() -> Answers:
    """Return what any call can answer."""
    from assay.service.schemas import ErrorAnswer

    return {
        401: refusal("A key is needed, and none that is valid came"),
        403: refusal("The key may not do this"),
        429: refusal("Too many requests of this key or address", headers=RETRY),
        500: {"model": ErrorAnswer, "description": "A fault of the service; its log has the request's id"},
        503: refusal("The service, the task's model or what else the call needs is not ready", headers=RETRY),
    }


TASK_REFUSALS: Answers = {404: refusal("There is no such task or version")}

BODY_REFUSALS: Answers = {
    400: refusal("The body is absent, not UTF-8, not JSON, or not the gzip that was promised"),
    413: refusal("The body is too large"),
    415: refusal("The body is not sent as JSON, or encoded with something other than gzip"),
    422: refusal("Fields are wrong; each is named"),
}
"""What a call that reads a JSON body can answer beside."""
