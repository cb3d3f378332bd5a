"""A request's body: read up to its limit, parsed, validated."""

import json
from typing import Any, NoReturn, TypeVar

import orjson
from pydantic import ValidationError
from starlette.requests import Request

from assay.exceptions import RequestRefused
from assay.service.errors import fault, invalid, refuse_invalid, shown
from assay.service.limits import Limits
from assay.service.schemas import Body

AnyBody = TypeVar("AnyBody", bound=Body)

EXAMPLE = '{"text": "..."}'


async def read_body(request: Request, model: type[AnyBody], limits: Limits) -> AnyBody:
    """Return a request's JSON body as the model says.

    Raises RequestRefused with 413 (too large), 400 (absent, not UTF-8, not JSON), 415 (another media type)
    or 422 (wrong fields, each named).
    """
    raw = await _read_bytes(request, limits.max_body_bytes)
    if not raw:
        raise _refuse(400, "empty_body", f"The request has no body. Send JSON like {EXAMPLE}.")
    _check_media_type(request)
    try:
        body = model.model_validate(parse_json(raw))
    except ValidationError as error:
        raise refuse_invalid(error) from None
    texts = getattr(body, "texts", None) or ()
    if len(texts) > limits.max_texts:
        said = f"This must have at most {limits.max_texts:,} texts; it has {len(texts):,}."
        raise invalid([fault("texts", said, texts)])
    return body


def parse_json(raw: bytes) -> Any:
    """Return the value that JSON text in UTF-8 stands for.

    Raises RequestRefused, with the place, when it is not UTF-8 or not JSON (NaN and Infinity are not JSON).
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        # The standard library's parser is slower, but says where; and it lets a lone surrogate
        # through to the validation, which names the field.
        return _parse_slowly(raw)


async def _read_bytes(request: Request, longest: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > longest:
        raise _too_large(longest)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > longest:
            raise _too_large(longest)
        chunks.append(chunk)
    return b"".join(chunks)


def _parse_slowly(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        message = f"The body is not UTF-8: byte {error.start:,} is {raw[error.start]:#04x} ({error.reason})."
        raise _refuse(400, "invalid_utf8", message) from None
    except json.JSONDecodeError as error:
        message = f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        raise _refuse(400, "invalid_json", message) from None
    except RecursionError:
        raise _refuse(400, "invalid_json", "The body is nested too deeply; texts need no nesting.") from None
    except ValueError:
        # CPython parses no integer of more than 4,300 digits.
        raise _refuse(400, "invalid_json", "The body holds a number with too many digits.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise _refuse(
        400, "invalid_json", f"The body is not JSON: {name} is not a JSON value; use a number or null."
    )


def _check_media_type(request: Request) -> None:
    given = request.headers.get("content-type", "")
    media_type, _, parameters = given.lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('"')
    encoding = request.headers.get("content-encoding", "identity")
    if media_type.strip() != "application/json" or charset not in ("", "utf-8", "utf8"):
        what = f"Content-Type {shown(given)}" if given else "no Content-Type"
    elif encoding != "identity":
        what = f"Content-Encoding {shown(encoding)}"
    else:
        return
    raise _refuse(
        415,
        "unsupported_media_type",
        f"The request has {what}; send plain JSON in UTF-8 with the header Content-Type: application/json.",
    )


def _too_large(longest: int) -> RequestRefused:
    return _refuse(
        413, "too_large", f"The body is longer than {longest:,} bytes. Send fewer texts at a time."
    )


def _refuse(status: int, code: str, message: str) -> RequestRefused:
    return RequestRefused(message, status=status, code=code)
