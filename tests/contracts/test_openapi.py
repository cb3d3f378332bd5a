"""The service does what its own description says: schemathesis asks it, with all its checks."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contracts.sources import ROOT
from tests.running import drained, serving

CONFIG = ROOT / "tests" / "contracts" / "schemathesis.toml"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))
"""Requests that each call is fuzzed with, beside those that cover its schema; ``make fuzz`` asks for more."""
PATIENCE_SECONDS = 24 * 3600.0 if EXAMPLES > 10 else 600.0

ALWAYS = {"401", "403", "429", "500", "503"}
READS_JSON = {"400", "413", "415", "422"}


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory,
    spam_artifact: Path,
    sentiment_artifact: Path,
    abuse_artifact: Path,
) -> Iterator[str]:
    """The address of ``assay serve`` over three tasks, with a people's database."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_HOME", str(home))
        patch.setenv("ASSAY_MODELS", f"{spam_artifact},{sentiment_artifact},{abuse_artifact}")
        patch.setenv("ASSAY_ATTRIBUTES", "TOXICITY=abuse")
        with serving(patience=PATIENCE_SECONDS) as (address, process):
            drained(process)
            yield address


@pytest.fixture(scope="module")
def document(address: str) -> dict[str, Any]:
    """The description of the running service."""
    found: dict[str, Any] = httpx.get(f"{address}/openapi.json").json()
    return found


def calls(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and operation of every call."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_service_does_what_its_description_says(address: str, tmp_path: Path) -> None:
    command = [shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or "schemathesis"]
    command += ["--config-file", str(CONFIG), "run", f"{address}/openapi.json", "--checks", "all"]
    command += ["--max-examples", str(EXAMPLES), "--no-color", "--request-timeout", "30"]
    command += (
        ["--seed", os.environ["FUZZ_SEED"]] if "FUZZ_SEED" in os.environ else ["--generation-deterministic"]
    )
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    said = "\n".join(line[:300] for line in done.stdout.splitlines())
    assert done.returncode == 0, said[-20_000:]
    made = re.search(r"([\d,]+) generated", done.stdout)
    assert made, said
    print(said[-1_000:])
    assert int(made[1].replace(",", "")) > 300
    assert httpx.get(f"{address}/health").json()["status"] == "ok"


def test_every_call_documents_what_it_can_answer(document: dict[str, Any]) -> None:
    for method, path, operation in calls(document):
        statuses = set(operation["responses"])
        assert statuses >= ALWAYS, path
        assert any(status.startswith("2") for status in statuses), path
        if "requestBody" in operation:
            assert statuses >= READS_JSON, path
        if "{task}" in path:
            assert "404" in statuses, path
        assert operation["description"], (method, path)


def test_every_refusal_has_the_schema_of_the_one_shape(document: dict[str, Any]) -> None:
    for _, path, operation in calls(document):
        for status, answer in operation["responses"].items():
            if status[0] in "45":
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}, (path, status)


def test_names_of_calls_are_different_and_readable(document: dict[str, Any]) -> None:
    names = Counter(operation["operationId"] for _, _, operation in calls(document))
    assert [name for name, count in names.items() if count > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z_]{2,40}", name)] == []
    assert {"predict", "task_predict", "feedback", "analyze_comment"} <= set(names)


def test_keys_are_described(document: dict[str, Any]) -> None:
    assert set(document["components"]["securitySchemes"]) == {"key", "bearer"}
    for _, path, operation in calls(document):
        assert isinstance(operation["security"], list), path


def test_tasks_and_attributes_that_are_served_are_listed(document: dict[str, Any]) -> None:
    [task] = document["paths"]["/v1/tasks/{task}/predict"]["post"]["parameters"][:1]
    assert task["schema"]["enum"] == ["abuse", "sentiment", "spam"]
    body = document["paths"]["/v1/comments:analyze"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    names = body["properties"]["requestedAttributes"]["propertyNames"]["enum"]
    assert names == ["ABUSE", "SENTIMENT", "SPAM", "TOXICITY"]


def test_no_reference_leads_nowhere(document: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_the_index_lists_every_call(address: str, document: dict[str, Any]) -> None:
    listed = httpx.get(address).json()["endpoints"]
    described = {f"{method.upper()} {path}" for method, path, _ in calls(document)}
    assert set(listed) == described | {"GET /docs", "GET /openapi.json"}


@pytest.mark.parametrize("path", ["/predict", "/predict/batch", "/batch_predict", "/v1/tasks/spam/predict"])
def test_every_call_that_decides_explains_when_asked(address: str, path: str) -> None:
    texts = {"texts": ["a wonderful film", "free prize"]}
    answer = httpx.post(f"{address}{path}?explain=true", json=texts).json()
    decisions = answer if isinstance(answer, list) else answer["predictions"]
    assert all(decision["explanation"]["logit"] is not None for decision in decisions)
    assert "explanation" not in json.dumps(httpx.post(f"{address}{path}", json=texts).json())


def test_examples_shown_can_be_sent(address: str, document: dict[str, Any]) -> None:
    sent = 0
    for method, path, operation in calls(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        # Folders that are served without a registry have no versions to name.
        examples = () if "{version}" in path else content.get("schema", {}).get("examples", ())
        for example in examples:
            url = address + path.replace("{task}", "spam")
            assert httpx.request(method, url, json=example).is_success, (path, example)
            sent += 1
    assert sent >= 4
