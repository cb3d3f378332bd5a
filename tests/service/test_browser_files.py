"""A file on the page, in a real Chromium: dropped, previewed, decided, downloaded."""

import csv
import io
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from assay.service import Models, create_app
from assay.telemetry import Counters
from tests.service.test_browser import Serve, browser, page, playwright, pytestmark

__all__ = ["browser", "page", "pytestmark"]

SPAM = "URGENT free prize, call now to claim your cash bonus"
CSV = f'id,message\r\n1,"{SPAM}"\r\n2,"lunch\r\n""tomorrow"""\r\n3,\r\n4,=mum is home\r\n'
DROP = """([name, text, type]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  const target = document.getElementById("drop");
  for (const kind of ["dragover", "drop"]) {
    target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


def drop(page: playwright.Page, name: str, text: str) -> None:
    """Drop a file on its place."""
    page.get_by_role("radio", name="spam").check()
    page.evaluate(DROP, [name, text, ""])


def give(page: playwright.Page, name: str, content: bytes) -> None:
    """Choose a file with the browser's own dialogue."""
    page.get_by_role("radio", name="spam").check()
    page.locator("#chosen").set_input_files([{"name": name, "mimeType": "", "buffer": content}])


def downloaded(page: playwright.Page, folder: Path) -> tuple[str, bytes]:
    """Download the result and return its name and bytes."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the result").click()
    path = folder / "result"
    download.value.save_as(path)
    return download.value.suggested_filename, path.read_bytes()


def test_an_analyst_drops_a_csv_and_downloads_the_result(
    page: playwright.Page, address: str, tmp_path: Path
) -> None:
    page.goto(address)
    drop(page, "mails.csv", CSV)
    playwright.expect(page.locator(".sheet thead th")).to_have_text(["id", "message"])
    playwright.expect(page.locator(".sheet tbody tr")).to_have_count(4)
    playwright.expect(page.get_by_label("Column of texts")).to_have_value("message")
    page.get_by_role("button", name="Decide every row").click()
    playwright.expect(page.locator("#progress-text")).to_have_text("Done: 4 rows, 1 with an error")
    counts = page.locator("#counts").inner_text().replace("\n", " ")
    assert "spam 1 (25.0 %)" in counts
    assert "ham 2 (50.0 %)" in counts
    name, content = downloaded(page, tmp_path)
    assert name == "mails.scored.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row["assay_label"] for row in rows] == ["spam", "ham", "", "ham"]
    assert rows[1]["message"] == 'lunch\r\n"tomorrow"'
    assert rows[3]["message"] == "'=mum is home"


def test_another_column_and_another_task_can_be_picked_with_the_keyboard(
    page: playwright.Page, address: str, tmp_path: Path
) -> None:
    page.goto(address)
    give(page, "x.csv", f"note;message\n{SPAM};lunch\n".encode())
    page.get_by_label("Column of texts").focus()
    page.keyboard.type("note")
    playwright.expect(page.locator(".sheet th.picked")).to_have_text("note")
    playwright.expect(page.locator("#file-task")).to_have_text("spam")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#progress-text")).to_have_text("Done: 1 rows, 0 with an error")
    assert b";spam;" in downloaded(page, tmp_path)[1]


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("x.csv", "\ufefftext\tn\r\n\U0001f389 caf\xe9\t1\r\n".encode("utf-16-le"), ["text", "n"]),
        ("x.csv", b"\xef\xbb\xbfsep=;\r\ntext;n\r\nlunch;1\r\n", ["text", "n"]),
        ("x.jsonl", b'not json\n{"n": [1], "text": "lunch"}\n', ["n", "text"]),
        ("x.tsv", b"text\tn,;,;\nlunch\t1", ["text", "n,;,;"]),
    ],
)
def test_other_files_are_previewed_too(
    page: playwright.Page, address: str, name: str, content: bytes, columns: list[str]
) -> None:
    page.goto(address)
    give(page, name, content)
    playwright.expect(page.locator(".sheet thead th")).to_have_text(columns)
    page.get_by_role("button", name="Decide every row").click()
    playwright.expect(page.locator("#counts")).to_contain_text("ham")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.xlsx", b"PK\x03\x04", "save the sheet as CSV UTF-8"),
        ("x.csv", b"PK\x03\x04", "Excel workbook"),
        ("x.csv", b"", "is empty"),
        ("x.parquet", b"none", "is not a Parquet file"),
        ("x.csv", b"text,text\na,b\n", "is the name of 2 columns"),
    ],
)
def test_a_wrong_file_gives_the_services_message_and_the_next_is_decided(
    page: playwright.Page, address: str, name: str, content: bytes, said: str
) -> None:
    page.goto(address)
    give(page, name, content)
    page.get_by_role("button", name="Decide every row").click()
    alert = page.locator("#file-error")
    playwright.expect(alert).to_contain_text(said)
    playwright.expect(alert).to_contain_text("request ")
    give(page, "good.csv", b"text,n\nlunch,1\n")
    playwright.expect(alert).to_be_hidden()
    page.get_by_role("button", name="Decide every row").click()
    playwright.expect(page.locator("#progress-text")).to_have_text("Done: 1 rows, 0 with an error")


def test_progress_is_seen_and_the_work_can_be_stopped(page: playwright.Page, address: str) -> None:
    page.goto(address)
    give(page, "long.csv", b"text,n\n" + b"lunch tomorrow at noon,1\n" * 200_000)
    page.get_by_role("button", name="Decide every row").click()
    playwright.expect(page.locator("#progress-text")).to_contain_text("rows decided")
    assert 0 < page.locator("#bar").evaluate("bar => bar.value") < 1
    page.get_by_role("button", name="Stop").click()
    playwright.expect(page.locator("#file-error")).to_contain_text("You stopped it.")
    playwright.expect(page.locator("#summary")).to_be_hidden()


def test_an_answer_that_breaks_off_is_told(page: playwright.Page, address: str) -> None:
    page.goto(address)
    give(page, "x.csv", b"text,n\n" + b"lunch,1\n" * 3_000 + b'"' + b"a" * 17_000_000)
    page.get_by_role("button", name="Decide every row").click()
    playwright.expect(page.locator("#file-error")).to_contain_text("broke off before its end")
    playwright.expect(page.locator("#summary")).to_be_hidden()


def test_markup_in_a_file_is_shown_as_text(page: playwright.Page, address: str) -> None:
    page.goto(address)
    evil = "<img src=x onerror=window.hit=1>"
    drop(page, f"{evil}.csv", f"{evil},text\n{evil},lunch\n")
    playwright.expect(page.locator(".sheet td").first).to_have_text(evil)
    page.get_by_role("button", name="Decide every row").click()
    playwright.expect(page.locator("#progress-text")).to_contain_text("Done")
    assert page.evaluate("window.hit") is None


def test_several_files_are_refused(page: playwright.Page, address: str) -> None:
    page.goto(address)
    page.evaluate(
        DROP.replace("name));", "name)); data.items.add(new File([text], name));"), ["x.csv", "a", ""]
    )
    playwright.expect(page.locator("#file-error")).to_contain_text("give one at a time")


class Guarded:
    """A service behind a key, as the guard answers."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for the key on calls that decide."""
        headers = dict(scope.get("headers", ()))
        known = headers.get(b"authorization") == b"Bearer open sesame"
        if scope["type"] == "http" and scope["method"] == "POST" and not known:
            error = {"code": "unauthorized", "message": "Send a key.", "detail": [], "request_id": "1"}
            await JSONResponse({"error": error}, 401)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def test_a_key_is_asked_for_and_kept_for_this_tab_only(
    page: playwright.Page, models: Models, serve: Serve
) -> None:
    app = create_app(models, metrics=Counters())
    with serve(Guarded(app)) as address:  # type: ignore[arg-type]
        page.goto(address)
        playwright.expect(page.get_by_label("Key", exact=True)).to_be_hidden()
        give(page, "x.csv", b"text,n\nlunch,1\n")
        page.get_by_role("button", name="Decide every row").click()
        playwright.expect(page.locator("#file-error")).to_contain_text("Send a key.")
        page.get_by_label("Key", exact=True).fill(" open sesame ")
        page.keyboard.press("Enter")
        playwright.expect(page.get_by_label("Key", exact=True)).to_be_hidden()
        page.get_by_role("button", name="Decide every row").click()
        playwright.expect(page.locator("#progress-text")).to_contain_text("Done")
        assert page.evaluate("sessionStorage.length + 10 * localStorage.length") == 1
        assert page.evaluate("document.cookie") == ""
        page.get_by_label("Text", exact=True).fill(SPAM)
        page.keyboard.press("Control+Enter")
        playwright.expect(page.locator("#label")).to_have_text("spam")
        playwright.expect(page.locator("#curl")).not_to_contain_text("sesame")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_wide_file_needs_no_sideways_scrolling_of_a_narrow_page(
    page: playwright.Page, address: str, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(address)
    give(
        page,
        "w" * 80 + ".csv",
        (",".join(f"column {n}" for n in range(30)) + "\n" + "a long cell," * 30).encode(),
    )
    playwright.expect(page.locator(".sheet tbody tr")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
