"""A request's body: read up to its limit, uncompressed, parsed, validated."""

import json
from typing import Any, NoReturn, TypeVar

import anyio.to_thread
import orjson
from pydantic import ValidationError
from starlette.requests import Request

from assay.exceptions import RequestRefused
from assay.service.bodies.repeats import refuse_repeats
from assay.service.bodies.structure import check_structure
from assay.service.errors import brief, fault, invalid, refuse_invalid, shown
from assay.service.inflating import Inflating, is_gzip
from assay.service.limits import INLINE_BYTES, MAX_FIELDS, MAX_GZIP_MEMBERS, Limits
from assay.service.requests import Body

AnyBody = TypeVar("AnyBody", bound=Body)

EXAMPLE = '{"text": "..."}'


async def read_body(request: Request, model: type[AnyBody], limits: Limits) -> AnyBody:
    """Return a request's JSON body as the model says.

    Raises RequestRefused with 413 (too large), 400 (absent, not UTF-8, not JSON, a key twice, not the gzip
    that was promised), 415 (another media type or encoding) or 422 (wrong fields, each named).
    """
    raw = await _read_bytes(request, limits.max_body_bytes)
    if not raw:
        raise _refuse(400, "empty_body", f"The request has no body. Send JSON like {EXAMPLE}.")
    _check_media_type(request)
    if len(raw) <= INLINE_BYTES:
        return _validated(raw, model, limits)
    # Megabytes of JSON take tenths of a second; in a thread, others get their turn meanwhile.
    return await anyio.to_thread.run_sync(_validated, raw, model, limits)


def _validated(raw: bytes, model: type[AnyBody], limits: Limits) -> AnyBody:
    check_structure(raw, limits)
    value = parse_json(raw)
    _check_size(value, limits)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise refuse_invalid(error) from None


def parse_json(raw: bytes) -> Any:
    """Return the value that JSON text in UTF-8 stands for.

    Raises RequestRefused, with the place, when it is not UTF-8 or not JSON (NaN and Infinity are not JSON),
    and when an object has a key twice.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        # The standard library's parser is slower, but says where; and it lets a lone surrogate
        # through to the validation, which names the field.
        value = _parse_slowly(raw)
    try:
        refuse_repeats(raw, value)
    except (RecursionError, ValueError) as error:
        raise _unparsable(error) from None
    return value


async def _read_bytes(request: Request, longest: int) -> bytes:
    gzip = is_gzip(request)
    inflating = Inflating("The body", most_members=MAX_GZIP_MEMBERS) if gzip else None
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > longest:
        raise _too_large(longest)
    received, body = 0, bytearray()
    async for chunk in request.stream():
        received += len(chunk)
        if received > longest:
            raise _too_large(longest)
        for piece in inflating.feed(chunk) if inflating else (chunk,):
            if len(body) + len(piece) > longest:
                raise _too_large(longest)
            body += piece
    if inflating:
        inflating.finish()
    return bytes(body)


def _parse_slowly(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except (RecursionError, ValueError) as error:
        raise _unparsable(error) from None


def _unparsable(error: Exception) -> RequestRefused:
    """Return the refusal that an error of the standard library's parser means."""
    if isinstance(error, UnicodeDecodeError):
        given = f"byte {error.start:,} is {error.object[error.start]:#04x} ({error.reason})"
        return _refuse(400, "invalid_utf8", f"The body is not UTF-8: {given}.")
    if isinstance(error, json.JSONDecodeError):
        message = f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
    elif isinstance(error, RecursionError):
        message = "The body is nested too deeply; texts need no nesting."
    else:
        # CPython parses no integer of more than 4,300 digits.
        message = "The body holds a number with too many digits."
    return _refuse(400, "invalid_json", message)


def _refuse_constant(name: str) -> NoReturn:
    raise _refuse(
        400, "invalid_json", f"The body is not JSON: {name} is not a JSON value; use a number or null."
    )


def _check_size(value: Any, limits: Limits) -> None:
    """Refuse what has too many parts before anything is built of each of them."""
    if not isinstance(value, dict):
        return
    if len(value) > MAX_FIELDS:
        said = f"The body must have at most {MAX_FIELDS} fields; it has {len(value):,}."
        raise invalid([fault("", said, value)])
    for field, part in value.items():
        if isinstance(part, list) and len(part) > limits.max_texts:
            what = "texts" if field == "texts" else "items"
            said = f"This must have at most {limits.max_texts:,} {what}; it has {len(part):,}."
            raise invalid([fault(brief(field), said, part)])
        if isinstance(part, dict) and len(part) > MAX_FIELDS:
            said = f"This must have at most {MAX_FIELDS} fields; it has {len(part):,}."
            raise invalid([fault(brief(field), said, part)])


def _check_media_type(request: Request) -> None:
    given = request.headers.get("content-type", "")
    media_type, *parameters = (part.strip() for part in given.lower().split(";"))
    charsets = [
        part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset=")
    ]
    if media_type == "application/json" and all(each in ("utf-8", "utf8") for each in charsets):
        return
    what = f"Content-Type {shown(given)}" if given else "no Content-Type"
    raise _refuse(
        415,
        "unsupported_media_type",
        f"The request has {what}; send JSON in UTF-8 with the header Content-Type: application/json.",
    )


def _too_large(longest: int) -> RequestRefused:
    return _refuse(
        413,
        "too_large",
        f"The body is longer than {longest:,} bytes, uncompressed. Send fewer texts at a time.",
    )


def _refuse(status: int, code: str, message: str) -> RequestRefused:
    return RequestRefused(message, status=status, code=code)
