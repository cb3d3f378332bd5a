"""The web page: one document with its style and script inside, and the policy that allows nothing else."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from importlib.resources import files

from assay.config import MAX_TEXT_BYTES

STYLES = ("page.css", "files.css")
SCRIPTS = ("page.js", "sheets.js", "files.js")


@dataclass(frozen=True)
class Page:
    """A document and the headers it goes out with."""

    html: str
    headers: dict[str, str]


def read_page() -> Page:
    """Return the page of ``GET /``, put together from the package's files."""
    html = _read("index.html")
    style, script = "".join(map(_read, STYLES)), "".join(map(_read, SCRIPTS))
    script = script.replace("__MAX_TEXT_BYTES__", str(MAX_TEXT_BYTES))
    policy = (
        f"default-src 'none'; script-src '{_source(script)}'; style-src '{_source(style)}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Page(html.replace("/*style*/", style).replace("/*script*/", script), headers)


def _read(name: str) -> str:
    return (files("assay.service") / "pages" / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """Return the source expression by which a policy allows exactly this inline text (CSP level 3)."""
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
