"""Settings, the variables ``ASSAY_*``: where a process runs. They are never saved with a model."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic.config import JsonDict

from assay.config import Frozen, faults
from assay.exceptions import ConfigError

MARKS = {"%": "%25", "?": "%3F", "#": "%23"}
"""Characters of a path that mean something else in a URI, in the order in which they are replaced."""


SECRET: JsonDict = {"secret": True}
"""Marks a setting whose value may hold a password."""


class Settings(Frozen):
    """Where a process runs. Each field is read from the environment as ``ASSAY_<FIELD>``."""

    home: Path = Field(
        Path(".assay"), description="Folder of all that Assay writes: registry, artifacts, caches."
    )
    tasks: Path = Field(Path("tasks"), description="Folder of task files.")
    tracking_uri: str = Field(
        "",
        description="MLflow's store; else MLFLOW_TRACKING_URI, else sqlite under the home folder.",
        json_schema_extra=SECRET,
    )
    database: str = Field(
        "",
        description="The people's database (audit log, locks, keys, feedback): sqlite:///PATH or "
        "postgresql://...; else assay.db under the home folder.",
        json_schema_extra=SECRET,
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
    workers: int = Field(1, ge=1, le=256, description="Worker processes of the service.")
    require_keys: bool = Field(
        False, description="Ask for keys on loopback addresses too; on others they are always asked for."
    )
    insecure: bool = Field(
        False, description="Listen on an address that is not loopback without asking for keys."
    )
    rate_per_key: str = Field(
        "",
        description="Requests that a key without a rate of its own may make, like 100/s; empty: any number.",
    )
    rate_per_address: str = Field(
        "", description="Requests that one address may make, like 20/s or 600/m; empty: any number."
    )
    redis: str = Field(
        "",
        description="Redis that counts requests for all replicas, redis://...; else each machine does.",
        json_schema_extra=SECRET,
    )
    trusted_proxies: str = Field(
        "",
        description="Networks, separated by commas, whose X-Forwarded-For and -Proto are believed.",
    )
    cors_origins: str = Field(
        "", description="Origins of web pages that may call the service, separated by commas; * means any."
    )
    max_texts: int = Field(1_000, ge=1, description="Texts of one request.")
    max_body_bytes: int = Field(
        8 * 1024 * 1024, ge=1, description="Longest JSON body, also when it is uncompressed."
    )
    max_upload_bytes: int = Field(
        1024**3, ge=1, description="Longest file of POST /batch, also when it is uncompressed."
    )
    spool: Path | None = Field(
        None, description="Folder where uploaded files wait; else spool under the home folder."
    )
    header_seconds: float = Field(10.0, gt=0, description="Seconds in which a request's headers must come.")
    body_seconds: float = Field(
        20.0,
        gt=0,
        description="Seconds in which a request's body must come, plus one for each 1,000 bytes that came.",
    )
    max_connections: int = Field(1_000, ge=1, description="Open connections of one worker.")
    max_in_flight: int = Field(64, ge=1, description="Requests that one worker answers at the same time.")
    max_delay_ms: float = Field(
        50.0, gt=0, description="Delay of the event loop from which on new requests are turned away."
    )
    drain_seconds: float = Field(
        1.0, ge=0, description="Seconds between SIGTERM and the end of listening: time for a proxy to notice."
    )
    stop_seconds: float = Field(
        30.0, gt=0, description="Seconds that requests under way are given when the service stops."
    )
    poll_seconds: float = Field(
        2.0, gt=0, description="Seconds between two looks at which version is in production."
    )
    tls_certificate: Path | None = Field(None, description="PEM file of the certificate chain; serves HTTPS.")
    tls_key: Path | None = Field(None, description="PEM file of the certificate's private key.")
    request_log: str = Field(
        "", description="File of the request log, JSON Lines; - is standard output; empty: none is kept."
    )
    log_texts: bool = Field(False, description="Write the texts of requests into the request log.")
    attributes: str = Field(
        "",
        description="Names of Perspective's attributes and the tasks that answer, like TOXICITY=abuse; "
        "a task's own name in capitals always works.",
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
