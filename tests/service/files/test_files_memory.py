"""A file of any size is scored in the memory of a small one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SERVER = """
import sys
from pathlib import Path
import uvicorn
from assay.estimators import load_artifact
from assay.service import Models, Served, create_app
from assay.telemetry import Counters

models = Models()
models.serve(Served(cascade=load_artifact(Path(sys.argv[1]))))
server = uvicorn.Server(uvicorn.Config(
    create_app(models, metrics=Counters(), spool=Path(sys.argv[2])), port=0, log_level="error"))

async def main():
    import asyncio
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving

import asyncio
asyncio.run(main())
"""
MB = 1024**2
FILLER = "never decided " * 700


@pytest.fixture
def server(spam_artifact: Path, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """The address and process id of a service in a process of its own."""
    command = [sys.executable, "-c", SERVER, str(spam_artifact), str(tmp_path / "spool")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid
        process.terminate()


def memory_of(pid: int) -> int:
    """Return the most memory that a process has had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def csv_of(rows: int) -> Iterator[bytes]:
    """Yield a CSV of rows that are long and quickly decided."""
    yield b"text,filler\n"
    for number in range(rows):
        yield f"lunch {number},{FILLER}{number}\n".encode()


def score(address: str, media_type: str, body: Iterator[bytes]) -> int:
    """Send a file and return how many bytes came back."""
    headers = {"Content-Type": media_type, "Accept-Encoding": "identity"}
    with httpx.stream("POST", f"{address}/batch", content=body, headers=headers, timeout=120) as answer:
        assert answer.status_code == 200
        return sum(map(len, answer.iter_raw()))


def test_memory_does_not_grow_with_a_csv(server: tuple[str, int]) -> None:
    address, pid = server
    score(address, "text/csv", csv_of(400))
    before = memory_of(pid)
    assert score(address, "text/csv", csv_of(8_000)) > 70 * MB
    assert memory_of(pid) - before < 12 * MB


def test_memory_does_not_grow_with_one_group_of_parquet(server: tuple[str, int], tmp_path: Path) -> None:
    address, pid = server
    path = tmp_path / "x.parquet"
    texts = [f"lunch {number}" for number in range(8_000)]
    table = pa.table({"text": texts, "filler": [FILLER + text for text in texts]})
    pq.write_table(table, path, use_dictionary=False, compression="none", row_group_size=10_000)
    media_type = "application/vnd.apache.parquet"
    small = tmp_path / "small.parquet"
    pq.write_table(table.slice(0, 2_000), small, use_dictionary=False, compression="none")
    # Twice: what the allocator takes for a first file and keeps is no growth.
    for _ in range(2):
        score(address, media_type, iter([small.read_bytes()]))
    before = memory_of(pid)
    assert path.stat().st_size > 70 * MB
    score(address, media_type, iter([path.read_bytes()]))
    assert memory_of(pid) - before < 30 * MB
