"""The call that takes files."""

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from assay.service.answers import TASK_REFUSALS, refusal
from assay.service.calls import Calls
from assay.service.files.files import Files
from assay.service.files.forms import FIELD
from assay.service.files.jobs import Asked
from assay.service.files.keeping import MEDIA_TYPES
from assay.service.files.uploads import FORM
from assay.service.routes import Explain, named_in

Column = Annotated[
    str | None, Query(description="Column that holds the texts; by default the one with a usual name.")
]
Spreadsheet = Annotated[
    bool,
    Query(description="In CSV and TSV, put an apostrophe before cells that a spreadsheet would run."),
]
BINARY = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
FORM_SCHEMA = {
    "schema": {
        "type": "object",
        "required": [FIELD],
        "additionalProperties": False,
        "properties": {
            FIELD: {
                "type": "string",
                "format": "binary",
                "minLength": 1,
                "description": "CSV, TSV, JSON Lines or Parquet, said by its name; each also with .gz.",
            }
        },
    }
}
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {FORM: FORM_SCHEMA, **dict.fromkeys(MEDIA_TYPES, BINARY)}}
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    **TASK_REFUSALS,
    200: {
        "description": "The same rows, in the same format, with the columns of their decisions",
        "content": dict.fromkeys(MEDIA_TYPES, BINARY),
    },
    400: refusal("The body is absent, a broken form or damaged gzip"),
    413: refusal("The file is too large, as it came or uncompressed"),
    415: refusal("The file is of no known format"),
    422: refusal("There is no file, it cannot be read, or has no such column"),
    503: refusal("The task has no model, or all places for files are taken"),
    507: refusal("There is no room left to keep the file"),
}


def file_routes(files: Files, *, described: bool, prefix: str = "") -> Calls:
    """Return the call that scores files, for the default task or what the path's prefix names."""
    router = Calls(described=described, prefix=prefix, tags=["decisions"], dependencies=named_in(prefix))

    @router.post("/batch", openapi_extra=BODY, responses=ANSWERS, response_class=Response)
    async def batch(
        request: Request, text: Column = None, explain: Explain = False, spreadsheet: Spreadsheet = False
    ) -> Response:
        """Decide the rows of a file; they come back with their decisions."""
        asked = Asked(column=text, explain=explain, spreadsheet=spreadsheet)
        return await files.answer(request, asked)

    return router
