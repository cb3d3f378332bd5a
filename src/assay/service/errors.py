"""The one shape of every error that leaves the service."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assay.exceptions import RequestRefused
from assay.service.exchange import exchange_of
from assay.service.limits import SHOWN_CHARACTERS, SHOWN_FAULTS

Fault = dict[str, str]

SENTENCES = {
    "extra_forbidden": "This field does not exist here.",
    "list_type": 'This must be an array of texts, like ["...", "..."].',
    "missing": "This field is required.",
    "model_type": 'The body must be a JSON object, like {{"text": "..."}}.',
    "string_too_long": "This must have at most {max_length:,} characters.",
    "string_type": "This must be text, in quotes.",
    "string_unicode": "This is not valid Unicode: it has a lone surrogate.",
    "too_long": "This must have at most {max_length:,} texts; it has {actual_length}.",
    "too_short": "This must have at least {min_length:,} text; it has {actual_length}.",
}
"""What is said of a fault by pydantic's name for it; other faults are said in pydantic's words."""

HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


def brief(text: str) -> str:
    """Return a name or a text from outside as an error may carry it.

    It is short, and lone surrogates, which no JSON can carry, are written as escapes.
    """
    return text[:SHOWN_CHARACTERS].encode("utf-8", "backslashreplace").decode() + _rest(text)


def shown(value: object) -> str:
    """Return a value from outside as an error may show it: short, whatever its size."""
    if isinstance(value, str):
        return repr(value[:SHOWN_CHARACTERS]) + _rest(value)
    if isinstance(value, list):
        return f"an array of {len(value):,}"
    if isinstance(value, Mapping):
        return f"an object of {len(value):,}"
    return json.dumps(value)[:SHOWN_CHARACTERS]


def _rest(text: str) -> str:
    return f"... ({len(text):,} characters)" if len(text) > SHOWN_CHARACTERS else ""


def error_response(
    request_id: str,
    status: int,
    code: str,
    message: str,
    *,
    detail: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error in the shape that every client can rely on."""
    error = {"code": code, "message": message, "detail": list(detail), "request_id": request_id}
    return Response(orjson.dumps({"error": error}), status, headers, "application/json")


def fault(field: str, message: str, value: object) -> Fault:
    """Return one wrong field: its path, what is wrong with it and what was given."""
    return {"field": field, "message": message, "got": shown(value)}


def invalid(faults: Sequence[Fault]) -> RequestRefused:
    """Return the refusal of a request whose fields do not fit; its message names the first of them."""
    first = faults[0]
    place = f"{first['field']}: " if first["field"] else ""
    more = f" (and {len(faults) - 1:,} more)" if len(faults) > 1 else ""
    message = f"{place}{first['message']}{more}"
    return RequestRefused(message, status=422, code="invalid_request", detail=faults[:SHOWN_FAULTS])


def faults_of(errors: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Return the faults that a validation by pydantic found."""
    return [
        fault(brief(".".join(str(part) for part in error["loc"])), _sentence(error), error["input"])
        for error in errors
    ]


def refuse_invalid(error: ValidationError) -> RequestRefused:
    """Return the refusal that a failed validation of a body leads to."""
    return invalid(faults_of(error.errors(include_url=False)))


def _sentence(error: Mapping[str, Any]) -> str:
    sentence = SENTENCES.get(error["type"])
    if sentence:
        return sentence.format(**error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ").rstrip(".") + "."


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestRefused)
    data = error.data
    exchange_of(request).code = data["code"]
    return error_response(
        request.state.request_id,
        data["status"],
        data["code"],
        error.message,
        detail=data.get("detail", ()),
        headers=data.get("headers"),
    )


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    message = f"{error.detail}."
    if error.status_code == 404:
        message = f"There is nothing at {shown(request.url.path)}. GET / lists what there is."
    if error.status_code == 405:
        allowed = headers["Allow"] = headers["Allow"].replace("GET", "GET, HEAD")
        message = f"{request.method} is not allowed at {shown(request.url.path)}; allowed: {allowed}."
    code = exchange_of(request).code = HTTP_CODES.get(error.status_code, "refused")
    return error_response(request.state.request_id, error.status_code, code, message, headers=headers)


async def _on_invalid_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await _on_refusal(request, invalid(faults_of(error.errors())))


def install_handlers(app: FastAPI) -> None:
    """Make every error of an application leave in the one shape."""
    app.add_exception_handler(RequestRefused, _on_refusal)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameter)
