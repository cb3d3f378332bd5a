"""A real HTTP server of files, and a maker of wheels."""

import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assay.config import DataConfig
from assay.datasets import Dataset, load_dataset
from assay.progress import Progress

QUIET = Progress(quiet=True)


class FileServer:
    """Serves bytes by path; heeds Range unless told not to, and can break off in the middle."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, str] = {}
        self.heeds_ranges = True
        self.closed_to: str | None = None
        """How the User-Agent of those begins who are refused."""
        self.break_after: list[int] = []
        """Bytes after which each of the next answers breaks off."""
        self.asked: list[tuple[str, str, str]] = []
        """Method, path and Range of every request."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        files = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                files.answer(self, send_body=True)

            def do_HEAD(self) -> None:
                files.answer(self, send_body=False)

            def log_message(self, format: str, *parts: object) -> None:
                pass

        return Handler

    def answer(self, request: BaseHTTPRequestHandler, *, send_body: bool) -> None:
        span = request.headers.get("Range", "")
        self.asked.append((request.command, request.path, span))
        body = self.files.get(request.path)
        if self.closed_to and request.headers.get("User-Agent", "").startswith(self.closed_to):
            request.send_error(403)
            return
        if body is None:
            request.send_error(404)
            return
        start = int(span.removeprefix("bytes=").split("-")[0]) if span and self.heeds_ranges else 0
        if start and start >= len(body):
            request.send_error(416)
            return
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body) - start))
        request.send_header("Content-Type", "text/html" if request.path.endswith("/") else "application/zip")
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.end_headers()
        if send_body:
            end = start + self.break_after.pop(0) if self.break_after else len(body)
            request.wfile.write(body[start:end])


@pytest.fixture
def server() -> Iterator[FileServer]:
    """A server of files on this machine."""
    running = FileServer()
    yield running
    running.close()


@pytest.fixture
def make_wheel(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a wheel that pip accepts, holding one data file."""

    def make(member: str, content: bytes, name: str = "tiny_texts", version: str = "1.0") -> Path:
        folder = tmp_path / "index"
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(member, content)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        return path

    return make


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Dataset]:
    """A function that loads the dataset of a path under the task name ``mine``."""

    def run(source: Path | str, labels: list[str] | None = None, **data: object) -> Dataset:
        config = DataConfig.model_validate({"source": str(source), **data})
        return load_dataset(config, name="mine", labels=labels, home=tmp_path / "home", progress=QUIET)

    return run
