"""The page of a report: one file, nothing in it runs or loads, and it reads on a phone."""

import re
import shutil
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.evaluation import Report, render_page
from assay.evaluation.plots import PLOTS, draw
from assay.exceptions import MissingExtra
from tests.evaluation.made_up import random_report

REPORT = random_report(60, ["ham", "spam"])
PIXEL = b"\x89PNG made up"
TAGS = set(
    "html head meta title style body header nav a h1 h2 h3 main section div p ul li "
    "table thead tbody tr th td code pre img strong em br".split()
)
ATTRIBUTES = {
    ("html", "lang"), ("meta", "charset"), ("meta", "name"), ("meta", "content"), ("meta", "http-equiv"),
    ("nav", "aria-label"), ("a", "href"), ("section", "id"), ("p", "class"), ("th", "class"), ("td", "class"),
    ("div", "class"), ("div", "tabindex"), ("div", "role"), ("div", "aria-label"), ("code", "class"),
    ("img", "src"), ("img", "alt"),
}  # fmt: skip


class Read(HTMLParser):
    """What a page holds: its tags, their attributes, the text of its body and of single tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "img", "br"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def values(self, tag: str, name: str) -> list[str]:
        return [value for each, key, value in self.attributes if (each, key) == (tag, name)]


def page_of(report: Report = REPORT, **more: Any) -> Read:
    """Return a page, read."""
    return Read(render_page(report, **{"plots": {}} | more))


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_page_is_the_card_in_sections() -> None:
    page = page_of(gate=["Gate passed", "  ok    fine"])
    assert page.open == []
    titles = page.texts["h2"]
    assert titles[:3] == ["Results", "Gate", "Each label"]
    assert page.values("a", "href") == [f"#{name}" for name in page.values("section", "id")]
    assert len(page.values("section", "id")) == len(set(titles)) == len(titles)
    assert page.texts["title"] == ["MailClassifier 7"]
    assert page.texts["h1"] == ["MailClassifier version 7"]
    assert page.texts["pre"][0] == "Gate passed\n  ok    fine\n"
    accuracy = REPORT.metrics["accuracy"].text(4).partition(" ")[0]
    assert f"Accuracy {accuracy}" in words(page.texts["section"][0])


def test_the_gate_is_left_out_where_none_was_asked() -> None:
    assert "Gate" not in page_of().texts["h2"]


def test_the_policy_allows_the_style_and_nothing_else() -> None:
    page = page_of()
    [policy] = [value for value in page.values("meta", "content") if "default-src" in value]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert {(tag, name) for tag, name, _ in page.attributes} <= ATTRIBUTES
    assert set(page.tags) <= TAGS
    assert not re.search(r"https?://|url\(|@import", page.texts["style"][0])


def test_figures_stand_on_the_right() -> None:
    assert set(page_of().values("td", "class")) == {"right"}


def test_plots_are_inside_the_page_and_named_where_they_are_missing() -> None:
    page = page_of(plots={"roc": PIXEL})
    assert page.values("img", "src") == ["data:image/png;base64,iVBORyBtYWRlIHVw"]
    assert page.values("img", "alt") == ["ROC curve"]
    [shown] = [text for text in page.texts["p"] if "Confusion matrix" in text]
    assert words(shown) == "Confusion matrix Precision and recall How the scores spread"
    assert page.values("p", "class") == ["plots"]


NASTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</code></td></section><b>bold</b>",
    "[a](javascript:alert(1)) ![b](http://x/y.png) <http://x>",
    "`` ` | \\` *a* &lt;b&gt; &#60;b&#62;",
    "![x](plots/roc.png)",
    "{style}{0}",
]


@pytest.mark.parametrize("text", NASTY)
def test_what_people_wrote_is_shown_as_it_is(text: str) -> None:
    labels = (f"a {text}", f"b {text}")
    report = random_report(20, labels).model_copy(
        update={"description": f"Says {text}", "model": f"M {text}"}
    )
    page = page_of(report, gate=[f"Gate {text}"], plots={})
    assert set(page.tags) <= TAGS
    assert {(tag, name) for tag, name, _ in page.attributes} <= ATTRIBUTES
    assert "img" not in page.tags
    assert words(page.texts["header"][0]).find(words(f"Says {text}")) > 0
    assert words(page.texts["h1"][0]) == words(f"M {text} version 7")
    assert {words(label) for label in labels} <= {words(code) for code in page.texts["code"]}
    assert page.texts["pre"][0] == f"Gate {text}\n".replace("```", "'''")
    assert page.texts["title"] == [f"M {text} 7"]


@settings(deadline=None, max_examples=60)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60),
    st.text("<>/codescript `|&;!'\"", max_size=40),
)
@example("<code>", "</code>")
@example("a\u2028b", "x")
def test_no_text_becomes_a_tag_that_a_card_does_not_have(description: str, label: str) -> None:
    report = REPORT.model_copy(update={"description": description})
    page = page_of(report, gate=[label, description])
    plain = page_of(REPORT.model_copy(update={"description": "x"}), gate=["x"])
    assert set(page.tags) - {"ul", "li", "ol", "hr", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"} <= TAGS
    assert page.tags.count("code") == plain.tags.count("code")
    assert not {"script", "img", "a"} & (set(page.tags) - set(plain.tags))
    assert {(tag, name) for tag, name, _ in page.attributes} <= ATTRIBUTES


def test_what_a_card_would_fail_to_escape_is_shown_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = '<script>alert(1)</script> <b onclick="x()"> [a](http://x.example) <http://x.example>'
    monkeypatch.setattr(
        "assay.evaluation.page.render_card", lambda *_, **__: f"# T\n\n{raw}\n\n## S\n\n{raw}\n"
    )
    page = page_of()
    assert set(page.tags) <= TAGS
    assert page.values("a", "href") == ["#s"]
    assert words(page.texts["section"][0]) == f"S {raw}"


def test_markdown_it_is_asked_for_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    with pytest.raises(
        MissingExtra, match=r"page of a report needs the package 'markdown-it-py'.*assay\[train\]"
    ):
        page_of()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, tuned_report: Report) -> Path:
    """The page of a whole report with its plots, as a file."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    plots = {name: draw(name, tuned_report) for name in PLOTS}
    gate = ["Gate blocked", "  FAIL  " + "a long sentence about a figure " * 8 + "x" * 120]
    path.write_text(render_page(tuned_report, gate=gate, plots=plots), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1200])
def test_a_browser_shows_the_page_whole(browser: Any, written: Path, width: int, scheme: str) -> None:
    page, faults = browser.new_page(viewport={"width": width, "height": 800}), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text))
    page.on("requestfailed", lambda request: faults.append(request.url[:80]))
    page.emulate_media(color_scheme=scheme)
    page.goto(written.as_uri())
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sizes = page.evaluate("[...document.images].map(image => [image.naturalWidth, image.width])")
    assert len(sizes) == len(PLOTS)
    assert all(natural > 300 and 200 < shown < width for natural, shown in sizes)
    colours = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    light = [sum(map(int, re.findall(r"\d+", colour))) for colour in colours]
    assert (light[0] < light[1]) == (scheme == "light")
    page.close()


def test_a_link_leads_to_its_section(browser: Any, written: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto(written.as_uri())
    page.get_by_role("link", name="What the scores mean").click()
    top = page.evaluate("document.getElementById('what-the-scores-mean').getBoundingClientRect().top")
    assert -1 <= top <= 400
    page.close()
