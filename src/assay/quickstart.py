"""The main job on real text: train, gate, promote and serve two tasks, then show how to ask them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from assay.config import find_task
from assay.exceptions import AssayError
from assay.pipeline import run_pipeline
from assay.progress import Progress
from assay.serving import address_of, first_free_port
from assay.settings import Settings
from assay.terminal import BLOCKED, OK

TASKS = ("spam", "sentiment")
START_SECONDS = 60
STOP_SECONDS = 30

EXAMPLES = (
    ("spam", "You have WON a guaranteed prize! Call 09061701461 now to claim your cash"),
    ("spam", "Running ten minutes late, save me a seat"),
    ("sentiment", "A warm, funny and beautifully acted film"),
)


def quickstart(settings: Settings, *, serve: bool = True) -> int:
    """Train, gate, promote and serve the quickstart's tasks; return the exit code.

    Without ``serve`` it ends after asking the service over HTTP. The code is 2, before anything is served,
    when a gate blocked.
    """
    progress = Progress(sys.stdout)
    for name in TASKS:
        progress.say(f"\n{name}")
        task = find_task(name, settings.tasks / "quickstart")
        outcome = run_pipeline(task, settings, progress=progress, promote=True)
        for line in outcome.lines():
            progress.say(f"  {line}")
        if not outcome.promoted:
            return BLOCKED
    port = first_free_port(settings.host, settings.port)
    address = address_of(settings.host, port)
    with service(settings, port) as process:
        wait_until_ready(address, process)
        progress.say(f"\nThe service answers on {address}. Ask it:\n")
        for task_name, text in EXAMPLES:
            ask(address, task_name, text, progress)
        progress.say(f"A page for people   {address}/")
        progress.say(f"API documentation   {address}/docs")
        progress.say(f"Metrics             {address}/metrics")
        progress.say(f"Runs and versions   .venv/bin/mlflow ui --backend-store-uri {settings.store}")
        if serve:
            progress.say("\nPress Ctrl+C to stop the service.")
            return wait(process)
    return OK


def wait(process: "subprocess.Popen[bytes]") -> int:
    """Return the exit code of a service; 0 when a person stopped it, who was told how to."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        return OK


@contextmanager
def service(settings: Settings, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the service as a process of its own while the block runs."""
    command = [sys.executable, "-m", "assay.cli", "serve", "--host", settings.host, "--port", str(port)]
    # Folders that a setting names would be served instead of what was just promoted.
    command += ["--models", ""]
    # What it shows later (why, drift) needs texts; those that are kept have no names of people's accounts.
    shown = {"ASSAY_DECISION_TEXT": "redacted"}
    environment = shown | os.environ | {"ASSAY_HOME": str(settings.home)}
    process = subprocess.Popen(command, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(address: str, process: "subprocess.Popen[bytes]") -> None:
    """Return once the service is ready; raise AssayError when it ends or stays silent."""
    import httpx

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssayError(
        f"The service on {address} did not get ready; its messages are above.", code=process.poll()
    )


def ask(address: str, task: str, text: str, progress: Progress) -> None:
    """Send one text and show the command that sends it, and the answer."""
    import httpx

    url, body = f"{address}/v1/tasks/{task}/predict", json.dumps({"text": text})
    answer = httpx.post(url, content=body, headers={"Content-Type": "application/json"}, timeout=30)
    progress.say(f"curl -s {url} \\\n  -H 'Content-Type: application/json' -d '{body}'")
    progress.say(f"{answer.text}\n")
    if answer.status_code != 200:
        raise AssayError(f"The service answered {answer.status_code} to {body}: {answer.text}")
