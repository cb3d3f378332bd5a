"""Progress: lines for files and logs, redrawing for terminals, nothing when quiet."""

import io
import re

import pytest

from assay import progress
from assay.progress import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def drawn_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every advance is drawn, however soon it follows the last."""
    monkeypatch.setattr(progress, "REDRAW_SECONDS", 0.0)


def test_a_line_is_written_and_kept() -> None:
    stream = io.StringIO()
    teller = Progress(stream)
    teller.say("reading")
    assert stream.getvalue() == "reading\n"
    assert teller.lines == ["reading"]


def test_standard_error_is_the_stream_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    Progress().say("reading")
    assert capsys.readouterr() == ("", "reading\n")


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["file", "terminal"])
def test_quiet_writes_nothing_and_keeps_the_lines(stream: io.StringIO) -> None:
    teller = Progress(stream, quiet=True)
    with teller.step("fit"), teller.bar("rows", 2) as bar:
        bar.advance(2)
    assert stream.getvalue() == ""
    assert len(teller.lines) == 1


def test_a_step_ends_with_its_seconds() -> None:
    stream = io.StringIO()
    with Progress(stream).step("fit the model"):
        assert stream.getvalue() == ""
    assert re.fullmatch(r"  fit the model \(\d+\.\d s\)\n", stream.getvalue())


def test_a_step_is_named_on_a_terminal_while_it_runs() -> None:
    stream = Terminal()
    with Progress(stream).step("fit"):
        assert stream.getvalue() == "  fit ..."
    assert re.fullmatch(r"  fit \.\.\.\r\x1b\[K  fit \(\d+\.\d s\)\n", stream.getvalue())


def test_a_failed_step_claims_no_end() -> None:
    stream = io.StringIO()
    teller = Progress(stream)
    with pytest.raises(ValueError, match="broken"), teller.step("fit"):
        raise ValueError("broken")
    assert stream.getvalue() == ""
    assert teller.lines == []


@pytest.mark.usefixtures("drawn_always")
def test_a_bar_is_redrawn_in_place_and_cleared() -> None:
    stream = Terminal()
    with Progress(stream).bar("rows", 2_000) as bar:
        bar.advance(500)
        bar.advance(1_500)
    assert stream.getvalue() == (
        "\r\x1b[K  rows [######..................]  25%  500 / 2,000"
        "\r\x1b[K  rows [########################] 100%  2,000 / 2,000"
        "\r\x1b[K"
    )


@pytest.mark.usefixtures("drawn_always")
def test_a_bar_of_unknown_length_counts() -> None:
    stream = Terminal()
    with Progress(stream).bar("bytes", None) as bar:
        bar.advance(1_234)
    assert stream.getvalue() == "\r\x1b[K  bytes 1,234\r\x1b[K"


@pytest.mark.usefixtures("drawn_always")
def test_a_bar_that_overshoots_stays_full() -> None:
    stream = Terminal()
    with Progress(stream).bar("rows", 2) as bar:
        bar.advance(3)
    assert "100%  3 / 2" in stream.getvalue()


def test_a_bar_is_not_redrawn_for_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REDRAW_SECONDS", 3600.0)
    stream = Terminal()
    with Progress(stream).bar("rows", 2) as bar:
        bar._drawn = progress.time.monotonic()
        bar.advance(1)
    assert stream.getvalue() == "\r\x1b[K"
    assert bar.done == 1


def test_a_bar_is_silent_in_a_file() -> None:
    stream = io.StringIO()
    with Progress(stream).bar("rows", 2) as bar:
        bar.advance(2)
    assert stream.getvalue() == ""
    assert bar.done == 2
