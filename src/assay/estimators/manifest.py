"""What an artifact folder holds, and the hashes that prove it."""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from assay.config import faults
from assay.exceptions import ArtifactError
from assay.frozen import Frozen

RULES = "rules.toml"
WEIGHTS = "model.safetensors"
NETWORK, TOKENIZER = "model.onnx", "tokenizer.json"
DECIDING = ("task.toml", RULES, "model.json", WEIGHTS, NETWORK, TOKENIZER, "operating_point.json")
"""The files that decide; a version's identity is the digest of their hashes. A task may have no rules, and a
model has either weights or a network and its tokenizer."""

GOLDEN = "golden.jsonl"
REPORT = "report.json"
OUT_OF_FOLD = "out_of_fold.safetensors"
THRESHOLDS = "thresholds.json"
PROFILE = "profile.json"
QUANTIZATION = "quantization.json"
ANNEXES = (GOLDEN, REPORT, OUT_OF_FOLD, THRESHOLDS, PROFILE, QUANTIZATION)
"""Files with hashes of their own that decide nothing; all but the golden decisions may be left out."""


class Manifest(Frozen):
    """The table of an artifact: format, what it decides, where it comes from, every file's SHA-256."""

    format: Literal[1]
    task: str
    labels: tuple[str, ...]
    estimator: str
    digest: str
    files: dict[str, str]
    libraries: dict[str, str] = Field(default_factory=dict)
    git_commit: str | None = None
    dataset: dict[str, Any] = Field(default_factory=dict)
    created_at: str

    @model_validator(mode="after")
    def _holds_what_decides(self) -> Self:
        unknown = sorted(set(self.files) - {*DECIDING, *ANNEXES})
        model = {NETWORK, TOKENIZER} if {NETWORK, TOKENIZER} & set(self.files) else {WEIGHTS}
        absent = {RULES, WEIGHTS, NETWORK, TOKENIZER} - model
        missing = sorted({*DECIDING, GOLDEN} - absent - set(self.files))
        unknown += sorted({WEIGHTS, NETWORK, TOKENIZER} & absent & set(self.files))
        if unknown or missing:
            raise ValueError(f"files: unknown {unknown}, missing {missing}")
        if self.digest != digest_of(self.files):
            raise ValueError("digest is not that of the deciding files")
        return self


def digest_of(files: Mapping[str, str]) -> str:
    """Return the identity of what decides: a SHA-256 over the hashes of the deciding files."""
    lines = "".join(f"{files[name]}  {name}\n" for name in DECIDING if name in files)
    return hashlib.sha256(lines.encode()).hexdigest()


def hash_file(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_bytes(content: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def check_digest(path: Path, found: str, expected: str) -> None:
    """Raise ArtifactError, naming the file, unless its SHA-256 is that of the manifest."""
    if found != expected:
        raise ArtifactError(
            f"{path} is damaged: its SHA-256 begins with {found[:12]}, by the manifest with {expected[:12]}.",
            folder=path.parent,
            file=path.name,
        )


def read_manifest(folder: Path, *, besides: Collection[str] = ()) -> Manifest:
    """Return the manifest of an artifact folder, every file's hash verified.

    Those of the files ``besides`` are left to the caller, who verifies the bytes that it reads. Raises
    ArtifactError, naming the file that is missing, changed or of an unknown format.
    """
    path = folder / "manifest.json"
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ArtifactError(
            f"{str(folder)!r} is not an artifact: manifest.json cannot be read ({error.strerror}).",
            folder=folder,
        ) from error
    except ValidationError as error:
        raise ArtifactError(
            f"{path} is damaged or of another format:\n{faults(error)}", folder=folder
        ) from error
    for name, expected in manifest.files.items():
        if name in besides:
            continue
        try:
            found = hash_file(folder / name)
        except OSError as error:
            raise ArtifactError(
                f"{folder / name} cannot be read: {error.strerror}.", folder=folder, file=name
            ) from error
        check_digest(folder / name, found, expected)
    return manifest
