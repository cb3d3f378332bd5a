"""Keys that a JSON object has twice: of which most parsers keep one, and not all the same."""

import json
import re
from typing import Any

from assay.exceptions import RequestRefused
from assay.service.errors import shown

_KEY_END = re.compile(rb'"[ \t\r\n]*:')


def refuse_repeats(raw: bytes, value: Any) -> None:
    """Raise RequestRefused with 400, naming the key, when an object of a JSON text has a key twice.

    ``value`` is what the text was parsed to. Each key of it, the lost ones too, has a colon, and the colon
    a quotation mark before it: when there are no more of these than keys are left, none was lost. Only
    where that leaves a doubt (objects within objects, or a text that quotes JSON) is it parsed again.
    """
    keys = len(value) if isinstance(value, dict) else 0
    if raw.count(b":") != keys and sum(1 for _ in _KEY_END.finditer(raw)) != keys:
        json.loads(raw, object_pairs_hook=_without_repeats)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        # The set takes a key in when it is asked about, so that the first one seen again is found.
        name = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        message = f"The body has the key {shown(name)} twice in one object; which is meant cannot be known."
        raise RequestRefused(message, status=400, code="repeated_key")
    return found
