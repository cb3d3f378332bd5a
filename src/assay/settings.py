"""Settings, the variables ``ASSAY_*``: where a process runs. They are never saved with a model."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from assay.config import Frozen, faults
from assay.exceptions import ConfigError

MARKS = {"%": "%25", "?": "%3F", "#": "%23"}
"""Characters of a path that mean something else in a URI, in the order in which they are replaced."""


class Settings(Frozen):
    """Where a process runs. Each field is read from the environment as ``ASSAY_<FIELD>``."""

    home: Path = Field(
        Path(".assay"), description="Folder of all that Assay writes: registry, artifacts, caches."
    )
    tasks: Path = Field(Path("tasks"), description="Folder of task files.")
    tracking_uri: str = Field(
        "", description="MLflow's store; else MLFLOW_TRACKING_URI, else sqlite under the home folder."
    )
    database: str = Field(
        "",
        description="The people's database (audit log, locks): sqlite:///PATH or postgresql://...; else "
        "assay.db under the home folder.",
    )
    user: str = Field("", description="Who is written into the audit log; else this account at this machine.")
    host: str = Field("127.0.0.1", description="Address that the service listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port of the service; 0 takes a free one.")
    default_task: str = Field(
        "", description="Task of the unversioned paths; else sentiment, else the first."
    )
    models: str = Field(
        "", description="Artifact folders to serve instead of the registry, separated by commas."
    )

    @property
    def cache(self) -> Path:
        """The folder of versions fetched from a remote store."""
        return self.home / "cache"

    @property
    def people(self) -> str:
        """The URI of the people's database."""
        return self.database or f"sqlite:///{(self.home / 'assay.db').absolute()}"

    @property
    def store(self) -> str:
        """The URI of MLflow's tracking and registry store."""
        path = str((self.home / "mlflow.db").absolute())
        for mark, code in MARKS.items():
            path = path.replace(mark, code)
        return self.tracking_uri or f"sqlite:///{path}"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of an environment.

    Raises ConfigError for an ``ASSAY_*`` name that is no setting or a value that does not fit.
    """
    prefix = "ASSAY_"
    given = {
        key.removeprefix(prefix).lower(): value
        for key, value in environment.items()
        if key.startswith(prefix)
    }
    unknown = sorted(set(given) - set(Settings.model_fields))
    if unknown:
        names = ", ".join(prefix + key.upper() for key in unknown)
        known = ", ".join(prefix + key.upper() for key in Settings.model_fields)
        raise ConfigError(f"Unknown setting: {names}. Settings are {known}.", unknown=unknown)
    if environment.get("MLFLOW_TRACKING_URI"):
        given["tracking_uri"] = given.get("tracking_uri") or environment["MLFLOW_TRACKING_URI"]
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigError(f"The settings in the environment do not fit:\n{faults(error)}") from error
