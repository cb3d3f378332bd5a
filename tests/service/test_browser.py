"""The page in a real Chromium, as a person uses it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI

from assay.estimators import Cascade
from assay.service import Missing, Models, Served, create_app
from assay.telemetry import Counters

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

Serve = Callable[[FastAPI], AbstractContextManager[str]]
NAME = "assay.test"
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--disable-background-networking",
    f"--host-resolver-rules=MAP {NAME} 127.0.0.1",
]
SPAM = "URGENT free prize, call now to claim your cash bonus"


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    """A Chromium."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: playwright.Browser) -> Iterator[playwright.Page]:
    """A page that fails its test when a script fails, or when a request leaves loopback."""
    page, faults = browser.new_page(), []
    page.set_default_timeout(15_000)
    page.emulate_media(reduced_motion="reduce")
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if is_outside(request.url) else None)
    page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
    yield page
    page.close()
    assert faults == []


def is_outside(url: str) -> bool:
    """Return True for an address that is not on this machine."""
    return urlsplit(url).scheme in ("http", "https") and urlsplit(url).hostname not in ("127.0.0.1", NAME)


def decide(page: playwright.Page, task: str, text: str) -> None:
    """Choose a task, type a text and ask with the keyboard."""
    page.get_by_role("radio", name=task).check()
    page.get_by_label("Text", exact=True).fill(text)
    page.keyboard.press("Control+Enter")


def test_a_person_types_a_text_and_sees_the_decision(page: playwright.Page, address: str) -> None:
    page.goto(address)
    decide(page, "spam", SPAM)
    playwright.expect(page.locator("#label")).to_have_text("spam")
    playwright.expect(page.locator("#version")).to_have_text("SpamClassifier, version 1")
    playwright.expect(page.locator("#decided-by")).to_have_text("model")
    assert len(page.locator("#id").inner_text()) == 32
    fill, track = page.locator(".fill").bounding_box(), page.locator(".track").bounding_box()
    score = float(page.locator(".bar .names b").inner_text())
    assert fill["width"] / track["width"] == pytest.approx(score, abs=0.01)
    assert page.locator(".threshold").evaluate("line => line.style.left") == "50%"


def test_the_page_says_why(page: playwright.Page, ruled_cascade: Cascade, serve: Serve) -> None:
    models = Models()
    models.serve(Served(cascade=ruled_cascade, stage="Production"))
    with serve(create_app(models, metrics=Counters())) as address:
        page.goto(address)
        decide(page, "spam", "\U0001f389 f.r.e.e offer, urgent")
        playwright.expect(page.locator("#decided-by")).to_have_text("rule: spelled-free")
        page.get_by_text("Why").click()
        playwright.expect(page.locator("#fired li")).to_have_count(2)
        assert page.locator("#fired mark").all_inner_texts() == ["f.r.e.e offer", "urgent"]
        playwright.expect(page.locator("#sum")).to_have_text("A rule decided; the model was not asked.")
        playwright.expect(page.locator("#weights tr")).to_have_count(0)

        decide(page, "spam", "urgent text, winner <b>bonus</b>")
        playwright.expect(page.locator("#decided-by")).to_have_text("model")
        playwright.expect(page.locator("#weights tr")).to_have_count(12)
        playwright.expect(page.locator("#fired li")).to_contain_text("urgent: evidence for spam (+")
        weights = [
            float(each.replace("\u2212", "-"))
            for each in page.locator("#weights td:last-child").all_inner_texts()
        ]
        weights += [float(page.locator("#fired li").inner_text().split("(")[1].split(")")[0])]
        told = page.locator("#sum").inner_text()
        assert sum(weights) == pytest.approx(
            float(told.split("up to ")[1].split(",")[0].replace("\u2212", "-")), abs=0.01
        )


def test_the_page_shows_which_version_answers_for_each_task(page: playwright.Page, address: str) -> None:
    page.goto(address)
    rows = page.get_by_role("table").get_by_role("row")
    playwright.expect(rows).to_have_count(4)
    playwright.expect(rows.nth(3)).to_contain_text("spam")
    playwright.expect(rows.nth(3)).to_contain_text("SpamClassifier")
    playwright.expect(page.get_by_role("radio", name="sentiment")).to_be_checked()
    playwright.expect(page.get_by_role("status").first).to_have_text("Serving 3 tasks")


def test_a_task_of_three_labels_shows_each_labels_share(page: playwright.Page, address: str) -> None:
    page.goto(address)
    decide(page, "abuse", "you there")
    playwright.expect(page.locator(".bar")).to_have_count(3)
    playwright.expect(page.locator(".bar .names span").first).to_have_text(
        page.locator("#label").inner_text()
    )


def test_an_error_is_shown_with_its_request_id_and_the_next_text_is_decided(
    page: playwright.Page, address: str
) -> None:
    page.goto(address)
    decide(page, "spam", "   ")
    alert = page.get_by_role("alert")
    playwright.expect(alert).to_contain_text("The text is empty.")
    playwright.expect(alert).to_contain_text("request ")
    decide(page, "spam", "lunch tomorrow?")
    playwright.expect(page.locator("#label")).to_have_text("ham")
    playwright.expect(alert).to_be_hidden()


def test_script_in_a_text_is_shown_as_text(page: playwright.Page, address: str) -> None:
    page.goto(address)
    decide(page, "spam", "<img src=x onerror=window.hit=1></code><script>window.hit=1</script> 'quoted'")
    page.get_by_text("The same from a shell").click()
    playwright.expect(page.locator("#curl")).to_contain_text("<script>window.hit=1</script>")
    assert page.locator("#answer img, #answer script").count() == 0
    assert page.evaluate("window.hit") is None


def test_script_in_a_reason_is_shown_as_text(page: playwright.Page, models: Models, serve: Serve) -> None:
    models.refuse("toxicity", Missing(reason="<img src=x onerror=window.hit=1>", model="<b>Model</b>"))
    with serve(create_app(models, metrics=Counters())) as address:
        page.goto(address)
        playwright.expect(page.locator(".reason")).to_have_text("<img src=x onerror=window.hit=1>")
        playwright.expect(page.get_by_role("radio", name="toxicity")).to_be_disabled()
        playwright.expect(page.get_by_role("status").first).to_have_text("Some tasks have no model")
        assert page.evaluate("window.hit") is None


def test_without_a_model_the_page_says_how_to_train_one(page: playwright.Page, serve: Serve) -> None:
    with serve(create_app(Models(), metrics=Counters())) as address:
        page.goto(address)
        playwright.expect(page.locator("#empty")).to_contain_text("assay train spam --promote")
        playwright.expect(page.locator("#empty-reason")).to_contain_text("No model is loaded.")
        playwright.expect(page.get_by_role("button", name="Decide")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_needs_no_sideways_scrolling(
    page: playwright.Page, address: str, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(address)
    decide(page, "spam", SPAM)
    playwright.expect(page.locator("#label")).to_have_text("spam")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_documentation_draws_itself_without_leaving_the_machine(
    page: playwright.Page, address: str
) -> None:
    page.goto(address.replace("127.0.0.1", NAME) + "/docs")
    playwright.expect(page.locator("#operations-decisions-predict")).to_be_visible()
    page.wait_for_load_state("networkidle")
