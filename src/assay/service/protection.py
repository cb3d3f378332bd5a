"""Headers that keep browsers from misusing an answer; those that an answer brings itself stay."""

from collections.abc import Iterator

Header = tuple[bytes, bytes]

CLOSED = b"default-src 'none'; frame-ancestors 'none'"
"""Policy of an answer that is no page: should a browser show it, it loads and runs nothing."""

DOCUMENTATION = (
    b"default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Policy of ``GET /docs``, whose script and style stand in the page; nothing in it is from outside."""

ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
HTTPS: Header = (b"strict-transport-security", b"max-age=31536000")


def missing_headers(present: list[Header], *, https: bool) -> Iterator[Header]:
    """Yield what an answer with these headers needs beside them."""
    given = {name.lower(): value for name, value in present}
    for header in ALWAYS:
        if header[0] not in given:
            yield header
    if b"content-security-policy" not in given:
        page = given.get(b"content-type", b"").startswith(b"text/html")
        yield b"content-security-policy", DOCUMENTATION if page else CLOSED
    if b"cache-control" not in given:
        # Decisions are about people's texts; only what has a tag of its own, a script of /docs, may be kept.
        yield b"cache-control", b"no-cache" if b"etag" in given else b"no-store"
    if https and HTTPS[0] not in given:
        yield HTTPS
