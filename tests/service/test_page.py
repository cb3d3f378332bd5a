"""The page's document and its policy."""

import base64
import hashlib
import re

from starlette.testclient import TestClient

from assay.config import MAX_TEXT_BYTES
from assay.service.page import read_page

BROWSER = {"Accept": "text/html"}


def test_the_policy_allows_exactly_the_inline_style_and_script() -> None:
    page = read_page()
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    for tag in ("style", "script"):
        [text] = re.findall(rf"<{tag}>(.*?)</{tag}>", page.html, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_names_no_other_host_and_inserts_no_markup() -> None:
    html = read_page().html
    assert set(re.findall(r"https?://[^'\"\s]+", html)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", html)


def test_the_page_knows_the_longest_text() -> None:
    assert f"const MAX_TEXT_BYTES = {MAX_TEXT_BYTES};" in read_page().html


def test_the_page_goes_out_with_its_policy(client: TestClient) -> None:
    headers = client.get("/", headers=BROWSER).headers
    assert headers["content-security-policy"] == read_page().headers["Content-Security-Policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
