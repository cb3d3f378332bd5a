"""One request as a line of JSON with the field names of the Elastic Common Schema (ECS)."""

import json
import os
from functools import cache, lru_cache
from importlib.metadata import version as version_of
from ipaddress import ip_address
from typing import Any

from assay.service import Exchange
from assay.telemetry.decisions.record import written

ECS_VERSION = "8.11.0"
LONGEST_PATH = 1_024

FIELDS = {
    "@timestamp": "When the request began, in UTC.",
    "log.level": "`error` where the service failed (status 500 and over), else `info`; `warn` of lost lines.",
    "message": "Method, path and status, for people.",
    "ecs.version": "The version of the schema.",
    "event.dataset": "`assay.requests`",
    "event.action": "`dropped`, only in the line that tells of lost ones.",
    "event.duration": "Nanoseconds from the first byte of headers to the last byte of the answer.",
    "event.outcome": "`success` below status 400, `failure` from there on, `unknown` where nobody waited.",
    "http.request.id": "The request's id, the one that the answer carries in `X-Request-ID`.",
    "http.request.method": "The method; `other` where it is none of HTTP's usual.",
    "http.request.body.bytes": "Bytes of the body that came, as they were sent.",
    "http.request.body.content": "The texts that were decided, a list; only with `ASSAY_LOG_TEXTS`.",
    "http.response.status_code": "The status; 499 where the client went away.",
    "http.response.body.bytes": "Bytes of the answer's body.",
    "url.path": f"The path, never the query; up to {LONGEST_PATH:,} characters.",
    "client.ip": "Address of the client, behind a trusted proxy the one that it names.",
    "client.address": "The same where it is no IP address.",
    "user.name": "Name of the key that asked.",
    "error.code": "The code of the error that was answered.",
    "process.pid": "The worker that answered.",
    "service.name": "`assay`",
    "service.version": "The version of Assay.",
    "assay.route": "The path's template.",
    "assay.task": "The task that decided.",
    "assay.version": "The version that decided.",
    "assay.texts": "How many texts were decided.",
    "assay.rows": "Rows of an uploaded file.",
    "assay.row_errors": "Those of them that could not be decided.",
    "assay.dropped": "How many requests have no line, only in the line that tells of it.",
}
"""Every field that a line may have; what is empty or 0 is left out from ``user.name`` on."""


_JSON = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))
"""Escapes all but the printable characters of ASCII; to make it takes as long as to make a line."""


def line_of(exchange: Exchange) -> bytes:
    """Return the line of one request: printable ASCII and one newline, whatever the request held."""
    path, status = exchange.path[:LONGEST_PATH], exchange.status
    optional = {
        "user.name": exchange.key,
        "error.code": exchange.code,
        "assay.task": exchange.task,
        "assay.version": exchange.version,
        "assay.texts": exchange.texts,
        "assay.rows": exchange.rows,
        "assay.row_errors": exchange.row_errors,
        "http.request.body.content": list(exchange.content),
        _address_field(exchange.address): exchange.address,
    }
    return _line(
        exchange.at,
        "error" if status >= 500 else "info",
        f"{exchange.method} {path} {status}",
        {
            "event.duration": round(exchange.seconds * 1e9),
            "event.outcome": _outcome(status),
            "http.request.id": exchange.request_id,
            "http.request.method": exchange.method,
            "http.request.body.bytes": exchange.received,
            "http.response.status_code": status,
            "http.response.body.bytes": exchange.sent,
            "url.path": path,
            "assay.route": exchange.route,
        }
        | {name: value for name, value in optional.items() if value},
    )


def dropped_line(count: int, at: float) -> bytes:
    """Return the line that tells how many requests have none."""
    told = f"{count:,} requests have no line here: they came faster than the log could be written."
    return _line(at, "warn", told, {"event.action": "dropped", "assay.dropped": count})


def _line(at: float, level: str, message: str, fields: dict[str, Any]) -> bytes:
    told = {
        "@timestamp": written(at),
        "log.level": level,
        "message": message,
        "ecs.version": ECS_VERSION,
        "event.dataset": "assay.requests",
        "service.name": "assay",
        "service.version": _version(),
        "process.pid": os.getpid(),
        **fields,
    }
    return _JSON.encode(told).encode("ascii") + b"\n"


@cache
def _version() -> str:
    # It stands in a file that takes longer to read than a line to make.
    return version_of("assay")


def _outcome(status: int) -> str:
    if status in (0, 499):
        return "unknown"
    return "failure" if status >= 400 else "success"


@lru_cache(maxsize=1_024)
def _address_field(address: str) -> str:
    try:
        ip_address(address)
    except ValueError:
        return "client.address"
    return "client.ip"
