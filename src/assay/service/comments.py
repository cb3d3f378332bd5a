"""The Perspective API's request and answer, as OpenAPI shows them."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from assay.config import MAX_TEXT_BYTES
from assay.service.limits import MAX_FIELDS, MAX_SUBJECT_CHARACTERS
from assay.service.requests import NOT_BLANK, Body, Schema

Token = Annotated[str | None, Field(max_length=MAX_SUBJECT_CHARACTERS)]


class CommentBody(Body):
    """A part of the request: names as the Perspective API writes them."""

    model_config = ConfigDict(alias_generator=to_camel)


class Comment(CommentBody):
    """The text that is asked about."""

    text: str = Field(
        description=f"At most {MAX_TEXT_BYTES:,} bytes of UTF-8.",
        examples=["What kind of name is foo?"],
        json_schema_extra=NOT_BLANK,
    )
    type: Literal["PLAIN_TEXT"] = Field("PLAIN_TEXT", description="Text is read as it stands, never as HTML.")


class AttributeRequest(CommentBody):
    """How one attribute is asked for."""

    score_type: Literal["PROBABILITY"] = "PROBABILITY"
    score_threshold: float = Field(0.0, ge=0, le=1, description="Scores below are left out of the answer.")


class AnalyzeRequest(CommentBody):
    """A text, and which attributes of it are asked for."""

    comment: Comment
    requested_attributes: dict[str, AttributeRequest] = Field(
        min_length=1,
        max_length=MAX_FIELDS,
        description="A task's name in capitals, or a name of the setting attributes.",
    )
    languages: list[Annotated[str, Field(max_length=MAX_SUBJECT_CHARACTERS)]] = Field(
        [], max_length=MAX_FIELDS, description="Sent back as they came; the models know one language."
    )
    do_not_store: bool = Field(False, description="Keep the text out of the request log too.")
    client_token: Token = Field(None, description="Sent back as it came.")
    session_id: Token = None
    community_id: Token = None
    span_annotations: bool = Field(False, description="Has no effect: there is one span, the whole text.")
    context: dict[str, Any] | None = Field(None, description="Has no effect.")


class ScoreAnswer(Schema):
    """A probability."""

    value: float = Field(ge=0, le=1)
    type: Literal["PROBABILITY"]


class SpanAnswer(Schema):
    """The score of the text from one character to another."""

    begin: int
    end: int
    score: ScoreAnswer


class AttributeAnswer(Schema):
    """The scores of one attribute."""

    spanScores: list[SpanAnswer]  # noqa: N815 - as the Perspective API writes it
    summaryScore: ScoreAnswer  # noqa: N815


class AnalyzeAnswer(Schema):
    """The scores of a text, by attribute."""

    attributeScores: dict[str, AttributeAnswer]  # noqa: N815
    languages: list[str]
    clientToken: str | None = Field(None, description="Only where the request has one.")  # noqa: N815
