"""How a setting writes what is more than a word: networks, origins, pairs, URIs with credentials."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import unquote, urlsplit

Network = IPv4Network | IPv6Network

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
_ATTRIBUTE = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
_SECRET_OPTION = re.compile(r"(?i)((?:pass|pwd|token|secret|key)[^=&\s]*)=([^&\s]*)")
_UP_TO_THE_LAST_AT = re.compile(r"(?s)(.*?://)?(.*)@")
_TELLING = re.compile(r"^(?:/|\.|~)|://|@|\w=[^=\s]")
_URI = re.compile(r"[A-Za-z][\w+.-]*://\S+")


def parts(text: str) -> list[str]:
    """Return what stands between the commas of a list, without blanks and empty parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks that a list names; an address alone is a network of one.

    Raises ValueError for the first part that is neither.
    """
    found = []
    for part in parts(text):
        try:
            found.append(ip_network(part))
        except ValueError as error:
            raise ValueError(f"{part!r} is no network like 10.0.0.0/8 or fd00::/8: {error}") from None
    return tuple(found)


def origins(text: str) -> tuple[str, ...]:
    """Return the origins that a list names, as browsers send them; ``("*",)`` stands for any.

    Raises ValueError for the first part that is no origin, and for ``*`` beside others.
    """
    found = parts(text)
    if "*" in found and len(found) > 1:
        raise ValueError("* means any origin already; leave the others out, or leave it out")
    for origin in found:
        if origin != "*" and origin != _origin(origin):
            raise ValueError(
                f"{origin!r} is no origin; write scheme, host and port alone: https://example.org"
            )
    return tuple(found)


def _origin(text: str) -> str | None:
    try:
        split = urlsplit(text)
        port = "" if split.port is None else f":{split.port}"
    except ValueError:
        return None
    host = split.hostname or ""
    if split.scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:]+", host):
        return None
    return f"{split.scheme}://{f'[{host}]' if ':' in host else host}{port}"


def pairs(text: str) -> dict[str, str]:
    """Return the tasks of Perspective's attributes that a list like ``TOXICITY=abuse`` names.

    Raises ValueError for the first part that is no such pair, and for an attribute that is named twice.
    """
    found: dict[str, str] = {}
    for part in parts(text):
        name, equals, task = (each.strip() for each in part.partition("="))
        if not (equals and task and _ATTRIBUTE.fullmatch(name)):
            raise ValueError(f"{part!r} is no attribute and its task; write NAME=task, like TOXICITY=abuse")
        if name in found:
            raise ValueError(f"the attribute {name} is named twice, for {found[name]!r} and {task!r}")
        found[name] = task
    return found


def redis_uri(text: str) -> str:
    """Return the URI of a Redis as it is; raises ValueError, which does not show it, for any other."""
    if text and not text.startswith(REDIS_SCHEMES):
        raise ValueError(f"this must begin with one of {', '.join(REDIS_SCHEMES)}")
    return text


def without_credentials(uri: str) -> str:
    """Return a URI with user and password, and secrets among the options, replaced by ``***``.

    Where a URI should stand and none does, it may be the bare password: only a path and options are shown.
    """
    if uri and not _TELLING.search(uri):
        return "***"
    found = None if uri.startswith(("sqlite:///", "file:///")) else _UP_TO_THE_LAST_AT.match(uri)
    if found is None:
        return _SECRET_OPTION.sub(r"\1=***", uri)
    scheme, hidden, rest = found[1] or "", found[2], uri[found.end() :]
    # All up to the last @ is covered: a password may hold any character, also one that it should not. Behind
    # a question mark the @ may be a password's own, and so may be what follows.
    return f"{scheme}***" if "?" in hidden else f"{scheme}***@" + _SECRET_OPTION.sub(r"\1=***", rest)


def passwords(uri: str) -> frozenset[str]:
    """Return what is secret in a URI, as it is written there and as it is meant."""
    at = _UP_TO_THE_LAST_AT.match(uri)
    found = [at[2].partition(":")[2]] if at else []
    found += [each[2] for each in _SECRET_OPTION.finditer(uri)]
    return frozenset(text for written in found for text in (written, unquote(written)) if text)


def is_misread(uri: str) -> bool:
    """Return whether a URI has an @ that is not the end of its credentials.

    Libraries take a piece of the password for the host or the port then, and name it in their errors.
    """
    return "@" in re.sub("^[^@/?]*@", "", uri.partition("://")[2])


def covered(text: str) -> str:
    """Return what a library said with the credentials of every URI in it replaced by ``***``."""
    return _URI.sub(lambda found: without_credentials(found[0]), text)
