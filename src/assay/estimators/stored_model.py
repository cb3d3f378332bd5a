"""The model in an artifact folder: of which kind it is, and how it is read."""

import json
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import ValidationError

from assay.config import faults
from assay.estimators.encoder.sessions import Runtime
from assay.estimators.encoder.spec import EncoderSpec
from assay.estimators.linear import LinearModel, LinearSpec
from assay.estimators.manifest import NETWORK, TOKENIZER, WEIGHTS, Manifest, check_digest, hash_bytes
from assay.estimators.model import Model
from assay.estimators.tensors import copy_tensors, map_tensors, share_tensors
from assay.exceptions import ArtifactError

Spec = LinearSpec | EncoderSpec
KINDS: dict[str, type[Spec]] = {"linear": LinearSpec, "encoder": EncoderSpec}
APART = (WEIGHTS, NETWORK)
"""Large files whose bytes are verified as they are read into memory."""


def read_spec(folder: Path) -> Spec:
    """Return what model.json of an artifact folder says; one without a kind is linear.

    Raises ArtifactError.
    """
    path = folder / "model.json"
    try:
        values = json.loads(path.read_bytes())
        kind = values.get("kind", "linear") if isinstance(values, dict) else None
        if kind not in KINDS:
            raise ArtifactError(f"{path} is of the kind {kind!r}; kinds are {sorted(KINDS)}.", folder=folder)
        return KINDS[kind].model_validate(values)
    except ValidationError as error:
        raise ArtifactError(f"{folder} is not consistent:\n{faults(error)}", folder=folder) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{folder} is not consistent: {path.name} cannot be read ({error}).") from error


def read_model(
    folder: Path,
    spec: Spec,
    manifest: Manifest,
    *,
    private: bool,
    shared: Path | None,
    runtime: Runtime | None = None,
) -> Model:
    """Return the model of an artifact folder; see ``load_artifact``.

    Raises ArtifactError, MissingExtra where an encoder's libraries are not installed.
    """
    needed = (NETWORK, TOKENIZER) if isinstance(spec, EncoderSpec) else (WEIGHTS,)
    if not set(needed) <= set(manifest.files):
        raise ArtifactError(
            f"{folder}: a model of the kind {spec.kind!r} has the files {' and '.join(needed)}.",
            folder=folder,
        )
    if isinstance(spec, EncoderSpec):
        from assay.estimators.encoder.model import EncoderModel

        network, tokenizer = (_read_whole(folder / name, manifest) for name in needed)
        return EncoderModel(spec, network, tokenizer, runtime=runtime)
    return LinearModel.from_arrays(spec, _read_weights(folder, manifest, private=private, shared=shared))


def _read_whole(path: Path, manifest: Manifest) -> bytes:
    """Return the bytes of a file whose digest is the manifest's."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}.", path=path) from error
    check_digest(path, hash_bytes(content), manifest.files[path.name])
    return content


def _read_weights(
    folder: Path, manifest: Manifest, *, private: bool, shared: Path | None
) -> dict[str, NDArray[Any]]:
    path, digest = folder / WEIGHTS, manifest.files[WEIGHTS]
    if shared is not None:
        return share_tensors(path, digest, shared)
    return copy_tensors(path, digest) if private else map_tensors(path)
