"""The page of a report: its model card as one HTML file that needs nothing beside it and runs nothing."""

import hashlib
import html
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from assay.evaluation.card import render_card
from assay.evaluation.report import Report
from assay.exceptions import MissingExtra

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

PLOT = re.compile(r"plots/([a-z0-9_]+)\.png")
CODE_TAGS = ("<code>", "</code>")
TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
{head}{nav}
</header>
<main>
{sections}</main>
</body>
</html>
"""


def render_page(report: Report, *, gate: Sequence[str] = (), plots: Mapping[str, bytes]) -> str:
    """Return the model card of a report as one HTML file, its plots inside.

    The file holds no script and loads nothing: its own policy forbids both. It reads on a phone, by day and
    by night, and on paper.

    Parameters
    ----------
    report : what was found
    gate : the gate's decision, one line each; left out when empty
    plots : name of the plot -> PNG bytes; a plot that is not given leaves its name

    Raises MissingExtra when markdown-it-py is not installed.
    """
    return page_of(
        render_card(report, gate=gate), title=f"{report.model} {report.version}".strip(), plots=plots
    )


def page_of(text: str, *, title: str, plots: Mapping[str, bytes]) -> str:
    """Return a Markdown text as such a page: a heading, and sections that each begin with ``## ``.

    ``plots`` are put where the text shows ``plots/NAME.png``. Raises MissingExtra when markdown-it-py is not
    installed.
    """
    markdown = _markdown()
    tokens = markdown.parse(text)
    for token in tokens:
        _place(token, plots)
    head, *sections = _split(tokens)
    titles = [section[1].content for section in sections]
    style = (files("assay.evaluation") / "page.css").read_text(encoding="utf-8")
    return TEMPLATE.format(
        policy=f"default-src 'none'; img-src data:; style-src '{_source(style)}'; base-uri 'none'",
        title=html.escape(title),
        style=style,
        head=_html(markdown, head),
        nav=_nav(titles),
        sections="".join(
            f'<section id="{_anchor(title)}">\n{_html(markdown, section)}</section>\n'
            for title, section in zip(titles, sections, strict=True)
        ),
    )


def _markdown() -> "MarkdownIt":
    """Return a reader of the card's Markdown: tables, no links, and of HTML the tag ``code`` alone."""
    try:
        from markdown_it import MarkdownIt
    except ImportError as error:
        raise MissingExtra("Writing the page of a report", package="markdown-it-py", extra="train") from error
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.disable(["link", "autolink", "reference", "html_block", "html_inline"])
    markdown.inline.ruler.before("entity", "code_tag", _code_tag)
    return markdown


def _code_tag(state: "StateInline", silent: bool) -> bool:
    """Let the tags pass by which a card marks code that holds odd characters."""
    tag = next((tag for tag in CODE_TAGS if state.src.startswith(tag, state.pos)), "")
    if tag and not silent:
        state.push("html_inline", "", 0).content = tag
    state.pos += len(tag)
    return bool(tag)


def _place(token: "Token", plots: Mapping[str, bytes]) -> None:
    """Put plots in their places, and alignment into classes, which the page's policy allows."""
    if align := token.attrs.pop("style", None):
        token.attrSet("class", str(align).removeprefix("text-align:"))
    for child in token.children or ():
        if child.type != "image":
            continue
        found = PLOT.fullmatch(str(child.attrs.pop("src")))
        if found and found[1] in plots:
            child.attrs = {"src": f"data:image/png;base64,{b64encode(plots[found[1]]).decode()}", "alt": ""}
        else:
            child.type, child.children = "text", None


def _split(tokens: "Sequence[Token]") -> "Iterator[list[Token]]":
    """Yield the tokens before the first section, then those of each."""
    starts = [
        place for place, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"
    ]
    for start, end in zip([0, *starts], [*starts, len(tokens)], strict=True):
        section = list(tokens[start:end])
        for at, token in enumerate(section):
            if token.type == "inline" and any(child.type == "image" for child in token.children or ()):
                section[at - 1].attrSet("class", "plots")
        yield section


def _html(markdown: "MarkdownIt", tokens: "Sequence[Token]") -> str:
    """Return tokens as HTML; a table scrolls by itself where it is wider than the screen."""
    text: str = markdown.renderer.render(tokens, markdown.options, {})
    opened = '<div class="wide" tabindex="0" role="group" aria-label="Table">\n<table>'
    return text.replace("<table>", opened).replace("</table>", "</table>\n</div>")


def _nav(titles: Sequence[str]) -> str:
    links = "".join(f'<a href="#{_anchor(title)}">{html.escape(title)}</a>\n' for title in titles)
    return f'<nav aria-label="Sections">\n{links}</nav>'


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _source(text: str) -> str:
    """Return the source expression by which a policy allows exactly this inline text (CSP level 3)."""
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()
