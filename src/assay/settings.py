"""Settings, the variables ``ASSAY_*``: where a process runs. They are never saved with a model."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.config import JsonDict

from assay import notation
from assay.frozen import Frozen

MARKS = {"%": "%25", "?": "%3F", "#": "%23"}
"""Characters of a path that mean something else in a URI, in the order in which they are replaced."""

SECRET: JsonDict = {"secret": True}
"""Marks a setting whose value may hold a password."""

BARE_SECRET: JsonDict = {"secret": True, "bare": True}
"""Marks a setting whose whole value is secret."""

ONE_BY_ONE = "one by one"
"""The context of a validation that leaves ``disagreements`` to its caller."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def _checked(parse: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


class Settings(Frozen):
    """Where a process runs. Each field is read from the environment as ``ASSAY_<FIELD>``."""

    model_config = ConfigDict(hide_input_in_errors=True)

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
    redis: Annotated[str, _checked(notation.redis_uri)] = Field(
        "",
        description="Redis that counts requests for all replicas, redis://...; else each machine does.",
        json_schema_extra=SECRET,
    )
    trusted_proxies: Annotated[str, _checked(notation.networks)] = Field(
        "",
        description="Networks, separated by commas, whose X-Forwarded-For and -Proto are believed.",
    )
    cors_origins: Annotated[str, _checked(notation.origins)] = Field(
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
    max_in_flight: int = Field(32, ge=1, description="Requests that one worker answers at the same time.")
    max_delay_ms: float = Field(
        25.0, gt=0, description="Delay of the event loop from which on new requests are turned away."
    )
    encoder_device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where transformer encoders run; auto takes a GPU where ONNX Runtime has one."
    )
    encoder_sessions: int = Field(
        0,
        ge=0,
        le=256,
        description="Batches that an encoder computes at the same time in one worker; 0: one for each core "
        "that the worker has of the machine's, and one on a GPU.",
    )
    encoder_threads: int = Field(
        0, ge=0, le=256, description="Threads of one such computation; 0: the worker's cores shared out."
    )
    encoder_pin: bool = Field(
        False,
        description="Keep each of a worker's sessions to cores of its own; pays on a machine with nothing "
        "else to do.",
    )
    encoder_batch_tokens: int = Field(
        0,
        ge=0,
        description="Tokens of one batch, padding included; 0: 256 on a CPU, 16,384 on a GPU. A longer "
        "text is a batch by itself, as is each text of an int8 encoder.",
    )
    encoder_wait_ms: float = Field(
        2.0,
        ge=0,
        description="Longest wait of a text for others to fill a batch, while another batch is computed.",
    )
    encoder_queue: int = Field(
        256, ge=1, description="Texts that may wait for one encoder; more are turned away with 503."
    )
    encoder_deadline_seconds: float = Field(
        30.0,
        gt=0,
        description="Seconds that a request may wait for an encoder; X-Deadline-Seconds may ask for fewer.",
    )
    encoder_cache_entries: int = Field(
        100_000, ge=0, description="Texts whose scores by encoders a worker keeps in memory; 0: none."
    )
    encoder_cache_redis: Annotated[str, _checked(notation.redis_uri)] = Field(
        "",
        description="Redis in which replicas share these, redis://...; else each worker has its own.",
        json_schema_extra=SECRET,
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
    decision_log: bool = Field(True, description="Keep every decision in the decision log.")
    decision_folder: Path | None = Field(
        None, description="Folder of the decision log; else logs under the home folder."
    )
    decision_text: Literal["hash", "redacted", "full"] = Field(
        "hash",
        description="What the decision log keeps of a text: a keyed hash, the text without e-mail addresses, "
        "phone and card numbers and links, or all of it.",
    )
    decision_key: str = Field(
        "",
        description="Key of the hashes in the decision log; else one is made in decision.key of its folder.",
        json_schema_extra=BARE_SECRET,
    )
    decision_sync: Literal["never", "second", "batch"] = Field(
        "second",
        description="When the decision log is forced to disk: left to the system, once a second, or with "
        "each batch (a fifth of a second).",
    )
    decision_share: float = Field(1.0, gt=0, le=1, description="Share of the decisions that are logged.")
    decision_rotate_bytes: int = Field(
        64 * 1024 * 1024, ge=65_536, description="Bytes from which on a file of the decision log is full."
    )
    decision_rotate_seconds: float = Field(
        3600.0, gt=0, description="Seconds after which a file of the decision log is closed."
    )
    decision_days: float = Field(
        30.0, gt=0, description="Days after which a closed file of the decision log is deleted."
    )
    drift: bool = Field(True, description="Compare what is decided with the profile frozen at training.")
    attributes: Annotated[str, _checked(notation.pairs)] = Field(
        "",
        description="Names of Perspective's attributes and the tasks that answer, like TOXICITY=abuse; "
        "a task's own name in capitals always works.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        if isinstance(value, str) and _CONTROL.search(value):
            raise ValueError("this must have no line breaks, other control characters or lone surrogates")
        return value

    @model_validator(mode="after")
    def _agree(self, info: ValidationInfo) -> Self:
        for names, why in self.disagreements():
            if info.context != ONE_BY_ONE:
                raise ValueError(f"{' and '.join(names)}: {why}")
        return self

    def disagreements(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the names of settings that do not go together, and why."""
        if bool(self.tls_certificate) != bool(self.tls_key):
            absent = "ASSAY_TLS_KEY" if self.tls_certificate else "ASSAY_TLS_CERTIFICATE"
            yield ("tls_certificate", "tls_key"), f"HTTPS needs {absent} as well; set both or neither"
        if self.insecure and self.require_keys:
            yield (
                ("insecure", "require_keys"),
                "one asks for keys, the other for none; keep one of the two",
            )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Yield what a representation shows, in which nothing secret stands."""
        yield from shown(self).items()

    @property
    def cache(self) -> Path:
        """The folder of versions fetched from a remote store."""
        return self.home / "cache"

    @property
    def decisions(self) -> Path:
        """The folder of the decision log."""
        return self.decision_folder or self.home / "logs"

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


MARKED = {name: field.json_schema_extra for name, field in Settings.model_fields.items()}
SECRETS = tuple(name for name, mark in MARKED.items() if mark in (SECRET, BARE_SECRET))
"""The settings that may hold a password."""


def shown(settings: Settings) -> dict[str, str]:
    """Return every setting as people may see it: credentials are replaced, what is not set is empty."""
    return {name: _shown(name, getattr(settings, name)) for name in Settings.model_fields}


def _shown(name: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if name not in SECRETS:
        return str(value)
    # What is no URI may be the bare password.
    bare = MARKED[name] == BARE_SECRET or "://" not in str(value)
    return "***" if bare else notation.without_credentials(str(value))
