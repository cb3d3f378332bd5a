"""A process that serves an encoder has ONNX Runtime and a tokenizer, and nothing of what trains one."""

import json
import subprocess
import sys
from pathlib import Path

from tests.contracts.sources import ROOT
from tests.encoded import encoder_artifact

PROGRAM = """
import json, sys
from pathlib import Path
from starlette.testclient import TestClient
from assay.asgi import build_app
from assay.settings import Settings

home, artifact = map(Path, sys.argv[1:])
with TestClient(build_app(Settings(home=home, models=str(artifact), require_keys=False))) as client:
    decisions = [client.post("/predict", json={"text": text}).json() for text in ("a film", "a film")]
    batch = client.post("/batch?text=t", files={"file": ("x.csv", b"t\\na film\\n")}).status_code
    health = client.get("/health").json()
heavy = {"torch", "transformers", "onnx", "sklearn", "mlflow"}
found = [sorted(heavy & set(sys.modules)), "onnxruntime" in sys.modules]
print(json.dumps([decisions, batch, health["cache"], *found]))
"""


def test_a_service_of_an_encoder_imports_nothing_that_trains(tmp_path: Path) -> None:
    artifact = encoder_artifact(tmp_path / "mood")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "home"), str(artifact)],
        capture_output=True, text=True, timeout=300, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    decisions, batch, cache, heavy, running = json.loads(done.stdout.splitlines()[-1])
    assert decisions[0]["score"] == decisions[1]["score"]
    assert decisions[0]["decided_by"] == "model"
    assert (batch, cache["entries"], cache["reason"]) == (200, 1, None)
    assert (heavy, running) == ([], True)


def test_a_service_of_linear_models_has_no_runtime_of_encoders(tmp_path: Path, spam_artifact: Path) -> None:
    program = PROGRAM.replace("a film", "free prize")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "home"), str(spam_artifact)],
        capture_output=True, text=True, timeout=300, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])[3:] == [[], False]
