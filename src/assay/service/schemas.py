"""The answers that the service gives, as OpenAPI shows them; nothing else asks for them."""

from typing import Any

from pydantic import Field

from assay.service.requests import Schema


class Receipt(Schema):
    """Feedback that is kept."""

    id: str
    label: str


class FiredRuleAnswer(Schema):
    """A rule that fired."""

    id: str
    label: str
    action: str = Field(description="decide or evidence.")
    spans: list[tuple[int, int]] = Field(description="Where it matched: begin and end, in characters.")
    weight: float | None = Field(description="What evidence added to the logit; null where a rule decided.")


class WeighedNgramAnswer(Schema):
    """An n-gram of the text that moved the score."""

    text: str
    kind: str = Field(description="How the text was cut.")
    weight: float


class ExplanationAnswer(Schema):
    """What moved one decision: the bias, every weight and ``other`` add up to the logit."""

    label: str = Field(description="The label that the logit speaks for.")
    rules: list[FiredRuleAnswer]
    ngrams: list[WeighedNgramAnswer]
    other: float = Field(
        description="Sum of the n-grams that are not named; of an encoder, what its words, left out one by "
        "one, do not explain."
    )
    bias: float | None = Field(description="Null where a rule decided: the model was not asked.")
    logit: float | None


class DecisionAnswer(Schema):
    """The answer for one text."""

    id: str
    task: str
    label: str
    confidence: float = Field(
        description="Probability of the label given; where a rule decided, the lower bound of its precision."
    )
    score: float | None = Field(
        description="Calibrated probability of the positive label; null where a rule decided."
    )
    threshold: float | None = Field(
        description="Score from which the positive label is given; null with more than two labels."
    )
    decided_by: str = Field(description="The tier that decided: rule or model.")
    rule: str | None
    review: bool = Field(description="True inside the review band; the label is the same.")
    model: str
    version: str
    scores: dict[str, float] = Field(
        {}, description="Probability of each label; only with more than two labels, where the model decided."
    )
    sentiment: str = Field("", description="Equal to label; only for the task sentiment.")
    explanation: ExplanationAnswer | None = Field(None, description="Only with explain=true.")


class Predictions(Schema):
    """The answers for several texts, in their order."""

    predictions: list[DecisionAnswer]


Decisions = list[DecisionAnswer]
DecisionOrPredictions = DecisionAnswer | Predictions


class Fault(Schema):
    """One wrong field of a request."""

    field: str = Field(examples=["texts.3"])
    message: str
    got: str


class Error(Schema):
    """What went wrong, and the id under which the log has it."""

    code: str = Field(examples=["invalid_request"])
    message: str
    detail: list[Fault]
    request_id: str


class ErrorAnswer(Schema):
    """The one shape of every error."""

    error: Error


class TaskState(Schema):
    """Which version answers for a task, and why not the one that should."""

    model: str
    version: str
    stage: str
    loaded_at: str | None
    labels: list[str]
    positive: str | None
    previous: str | None = Field(description="The version that answered before; it is kept ready.")
    wanted: str | None = Field(description="The version that should answer and does not.")
    reason: str | None = Field(description="Why it does not; null when all is well.")


class RegistryState(Schema):
    """Whether the registry says which versions are in production."""

    asked_at: str | None = Field(description="When it last did.")
    reason: str | None = Field(description="Why it does not now; what is served goes on.")


class TaskRefreshed(Schema):
    """What a refresh did for a task."""

    version: str | None = Field(description="The version that answers now.")
    before: str | None = Field(description="The version that answered before.")
    wanted: str | None = Field(description="The version that should answer and does not.")
    reason: str | None = Field(description="Why it does not.")


class Refreshed(Schema):
    """What a refresh did."""

    status: str = Field(description="ok, or degraded when a version that should answer does not.")
    tasks: dict[str, TaskRefreshed]


class Latency(Schema):
    """Seconds in which half, 95 % and 99 % of requests were answered, from a histogram; null without any."""

    p50: float | None
    p95: float | None
    p99: float | None


class TaskStatistics(Schema):
    """What one task decided since the service started."""

    requests: int = Field(description="Requests that its model was asked in.")
    failed: int = Field(description="Those that were answered with a status from 500 on.")
    error_rate: float | None = Field(description="Their share; null before the first request.")
    latency: Latency
    decisions: int
    labels: dict[str, int]
    shares: dict[str, float]
    mean_confidence: float | None
    review_share: float | None = Field(description="Share of the decisions inside the review band.")
    tiers: dict[str, int] = Field(description="Decisions by the tier that decided: rule or model.")
    rules: dict[str, int] = Field(description="Decisions by rule, of the ten that decided most.")
    versions: dict[str, int] = Field(description="Decisions by version.")


class Statistics(Schema):
    """What the service did since it started, in all its processes."""

    since: str
    requests: int = Field(description="All requests but those that were turned away unread.")
    failed: int
    error_rate: float | None
    errors: dict[str, int] = Field(description="Requests that were answered with an error, by its code.")
    latency: Latency = Field(description="Of the requests in which a task was asked.")
    decisions: int
    tasks: dict[str, TaskStatistics]


class Health(Schema):
    """What is served and what it decided."""

    status: str = Field(
        description="ok, or degraded when a version that should answer does not, the registry is gone, or "
        "there are faults."
    )
    version: str
    faults: dict[str, str] = Field(description="What else is not as it should be, by its part.")
    default_task: str | None
    tasks: dict[str, TaskState]
    registry: RegistryState | None = Field(description="Null where folders are served.")
    decision_log: dict[str, Any] | None = Field(
        description="What the decision log says of itself; its reason is null while all is well."
    )
    drift: dict[str, Any] | None = Field(description="What the watch on drift says.")
    cache: dict[str, Any] | None = Field(
        description="What the cache of encoders' scores holds in this worker, and why replicas do not "
        "share it; null without one."
    )
    statistics: Statistics


class Liveness(Schema):
    """The process answers."""

    status: str


class Index(Schema):
    """What this service is."""

    name: str
    version: str
    default_task: str | None
    tasks: list[str]
    endpoints: dict[str, str]
