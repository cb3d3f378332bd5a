"""MLflow's own way to load a version: ``mlflow.pyfunc.load_model("models:/SpamClassifier@production")``.

The service never loads a model this way; it is for those who work with MLflow.
"""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.estimators import Cascade

FILE = "MLmodel"
LOADER = "assay.registry.pyfunc"


class Predictor:
    """A cascade behind MLflow's ``predict``: texts in, decisions out."""

    def __init__(self, cascade: "Cascade") -> None:
        self.cascade = cascade

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Return a DataFrame with a row of decision fields for each text.

        ``model_input`` is a DataFrame with one column of texts: what MLflow makes of a text, a list, an
        array or a series by the signature. Raises TextError for a text that cannot be scored.
        """
        texts = model_input.iloc[:, 0]
        decisions = [decision.to_dict() for decision in self.cascade.decide(list(texts))]
        return type(model_input)(decisions, index=texts.index)


def _load_pyfunc(path: str) -> Predictor:
    """Load an artifact folder for MLflow, hashes and golden decisions verified."""
    from assay.estimators import load_artifact

    return Predictor(load_artifact(Path(path)))


def describe_model(run_id: str) -> str:
    """Return the text of the MLmodel file that leads MLflow to this loader."""
    # JSON values are YAML values, so no YAML library is needed.
    text = json.dumps(json.dumps([{"type": "string", "required": True}]))
    return f"""\
artifact_path: model
flavors:
  python_function:
    loader_module: {LOADER}
    python_version: {json.dumps(platform.python_version())}
mlflow_version: {json.dumps(version("mlflow"))}
run_id: {run_id}
signature:
  inputs: {text}
utc_time_created: {json.dumps(datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"))}
"""
