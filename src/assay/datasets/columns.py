"""Which column holds the texts and which the labels."""

from assay.datasets.table import Table
from assay.exceptions import ColumnError

TEXT_NAMES = (
    "text", "review", "message", "sms", "tweet", "comment", "comment_text",
    "content", "body", "sentence", "document", "v2",
)  # fmt: skip
LABEL_NAMES = ("label", "sentiment", "category", "class", "target", "v1")


def find_column(table: Table, given: str | None, role: str) -> str:
    """Return the name of the column that holds the ``text`` or the ``label`` of a table.

    A given name must exist. Otherwise ``text`` or ``label`` itself is taken, else the one column
    with a usual name, in any case. Raises ColumnError, listing the columns, for none or several.
    """
    if given is not None:
        return table.require(given)
    usual = TEXT_NAMES if role == "text" else LABEL_NAMES
    found = [column for column in table.columns if column.strip().lower() in usual]
    exact = [column for column in found if column.strip().lower() == role]
    if len(found) != 1 and len(exact) != 1:
        what = "None" if not found else f"More than one ({', '.join(map(repr, found))})"
        raise ColumnError(
            f"{what} of the columns {list(table.columns)} of {table.name} is known to hold the {role}. "
            f"Name it: --{role} COLUMN, or {role} = 'COLUMN' under [data]. Usual names: {', '.join(usual)}.",
            role=role,
            columns=list(table.columns),
        )
    return table.require((exact or found)[0])
