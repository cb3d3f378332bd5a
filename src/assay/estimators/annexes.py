"""What an artifact keeps of how its operating point was chosen: scores and tables."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from assay.config import faults
from assay.estimators.held_out import HeldOut
from assay.estimators.manifest import OUT_OF_FOLD, QUANTIZATION, THRESHOLDS, Manifest, read_manifest
from assay.estimators.stored_model import read_spec
from assay.estimators.thresholds import ThresholdTable
from assay.estimators.transformer.quantization_cost import QuantizationCost
from assay.exceptions import ArtifactError


def read_held_out(folder: Path) -> HeldOut | None:
    """Return the out-of-fold scores of an artifact folder, None where it has none (an imported model).

    Raises ArtifactError when the folder is damaged.
    """
    if OUT_OF_FOLD not in read_manifest(folder).files:
        return None
    spec = read_spec(folder)
    logits = 1 if spec.link == "sigmoid" else len(spec.labels)
    return HeldOut.read(folder / OUT_OF_FOLD, labels=len(spec.labels), logits=logits)


def read_tables(folder: Path) -> tuple[ThresholdTable, ...]:
    """Return the tables behind an artifact's operating point, none where it has none.

    Raises ArtifactError when the folder is damaged.
    """
    if THRESHOLDS not in read_manifest(folder).files:
        return ()
    try:
        return _tables().validate_json((folder / THRESHOLDS).read_bytes())
    except ValidationError as error:
        raise ArtifactError(f"{folder / THRESHOLDS} is damaged:\n{faults(error)}", folder=folder) from error


def read_quantization(folder: Path) -> QuantizationCost | None:
    """Return what eight bits cost the network of an artifact folder, None where it is in single precision.

    Raises ArtifactError when the folder is damaged.
    """
    return quantization_in(folder, read_manifest(folder))


def quantization_in(folder: Path, manifest: Manifest) -> QuantizationCost | None:
    """Return the same of a folder whose files were verified by its manifest."""
    if QUANTIZATION not in manifest.files:
        return None
    path = folder / QUANTIZATION
    return QuantizationCost.from_json(path.read_bytes(), source=str(path))


def tables_to_json(tables: Sequence[ThresholdTable]) -> str:
    """Return tables as the text of thresholds.json."""
    return _tables().dump_json(tuple(tables), indent=1).decode() + "\n"


def _tables() -> TypeAdapter[tuple[ThresholdTable, ...]]:
    return TypeAdapter(tuple[ThresholdTable, ...])
