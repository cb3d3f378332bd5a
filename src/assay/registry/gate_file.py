"""The whole decision of the latest gating of a version, read without MLflow."""

import json
from typing import TYPE_CHECKING

from assay.exceptions import ArtifactError
from assay.registry import rest
from assay.registry.fetching import local_folder
from assay.registry.store import parse_store
from assay.registry.versions import Version

if TYPE_CHECKING:
    from assay.gate import GateDecision

GATE = "gate.json"
"""Its name among the run's artifacts, beside the model's folder."""


def read_gate(uri: str, version: Version) -> "GateDecision | None":
    """Return the latest decision about a version, None where its run keeps none.

    Raises ArtifactError for a file that is no decision or one about another artifact, RegistryUnavailable,
    RegistryError.
    """
    from assay.gate import GateDecision

    text = _read(uri, version)
    if text is None:
        return None
    name = f"{GATE} of version {version.number} of {version.model!r}"
    again = f"Gate it again: assay gate {version.task} {version.number}"
    try:
        decision = GateDecision.from_dict(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{name} is not JSON: {error}. {again}") from error
    if decision.candidate_digest != version.digest:
        raise ArtifactError(
            f"{name} is about the artifact {decision.candidate_digest[:12]!r}, and the version is "
            f"{version.digest[:12]!r}. {again}"
        )
    return decision


def _read(uri: str, version: Version) -> bytes | None:
    store, folder = parse_store(uri), local_folder(version.source)
    if folder is not None and (store.kind != "http" or folder.is_dir()):
        path = folder.parent / GATE
        return path.read_bytes() if path.is_file() else None
    if store.kind != "http" or not version.run_id:
        return None
    with rest.connect(store) as server:
        listed = server.get("artifacts/list", run_id=version.run_id).get("files", [])
        if GATE not in (each["path"] for each in listed):
            return None
        return server.run_file(version.run_id, GATE)
