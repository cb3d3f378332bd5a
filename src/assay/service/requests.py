"""The requests that the service takes, as they are checked and as OpenAPI shows them."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from assay.config import MAX_TEXT_BYTES
from assay.service.limits import MAX_LABEL_CHARACTERS, MAX_SUBJECT_CHARACTERS, Limits

SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
NOT_BLANK: JsonDict = {"pattern": f"[^{SPACES}]", "maxLength": MAX_TEXT_BYTES}
"""What can be said of a text in JSON Schema: that it is not blank; bytes of UTF-8 it cannot count."""

ONE_FORM: JsonDict = {
    "oneOf": [
        {"required": ["text"], "properties": {"text": {"type": "string"}, "texts": {"type": "null"}}},
        {"required": ["texts"], "properties": {"texts": {"type": "array"}, "text": {"type": "null"}}},
    ],
    "examples": [{"text": "Call now to win!"}, {"texts": ["Call now to win!", "Lunch tomorrow?"]}],
}

Text = Annotated[str, Field(json_schema_extra=NOT_BLANK)]
Subject = Annotated[
    str | None,
    Field(max_length=MAX_SUBJECT_CHARACTERS, description="Whom the text is from, in the caller's own terms."),
]
Texts = Annotated[
    list[Text],
    Field(
        min_length=1,
        description=f"Texts of at most {MAX_TEXT_BYTES:,} bytes of UTF-8 each; answers keep their order.",
        examples=[["Call now to win!", "Lunch tomorrow?"]],
    ),
]


class Schema(BaseModel):
    """What OpenAPI shows of a body; its validator is built when one is to be validated, most never are."""

    model_config = ConfigDict(defer_build=True)


class Body(Schema):
    """A request: exact types, and no fields but those listed."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PredictRequest(Body):
    """One text, or several: give ``text`` or ``texts``."""

    model_config = ConfigDict(json_schema_extra=ONE_FORM)

    text: Text | None = Field(None, description=f"One text of at most {MAX_TEXT_BYTES:,} bytes of UTF-8.")
    texts: Texts | None = None
    subject: Subject = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.text is None) == (self.texts is None):
            which = "neither" if self.text is None else "both"
            raise ValueError(f'Give either "text" or "texts"; the body has {which}')
        return self


class BatchRequest(Body):
    """Several texts."""

    texts: Texts
    subject: Subject = None


Label = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_LABEL_CHARACTERS,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The label that the text should have had.",
        examples=["spam"],
    ),
]


class FeedbackRequest(Body):
    """The right label of a decision."""

    id: str = Field(
        pattern="^[0-9a-f]{32}$",
        description="The decision's id.",
        examples=["1b4f0c4cf0e84d6c8a5b0c9d2f3e7a61"],
    )
    label: Label
    task: str | None = Field(
        None, max_length=63, description="The decision's task; the label must be one of its labels then."
    )


def body_schema(model: type[Body], limits: Limits) -> dict[str, Any]:
    """Return the OpenAPI entry of a body that the route reads itself."""
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    texts = schema["properties"].get("texts", {})
    for form in (texts, *texts.get("anyOf", ())):
        if form.get("type") == "array":
            form["maxItems"] = limits.max_texts
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    }


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """Return a schema with its references replaced by what they name: no document has these names."""
    if isinstance(schema, list):
        return [_inlined(each, parts) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {key: _inlined(value, parts) for key, value in schema.items()}
