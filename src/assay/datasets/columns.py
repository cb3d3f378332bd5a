"""Which column holds the texts, which the labels, and by which ones reports are sliced."""

from collections.abc import Collection, Sequence

from assay.datasets.table import Table
from assay.exceptions import ColumnError

TEXT_NAMES = (
    "text", "review", "message", "sms", "tweet", "comment", "comment_text",
    "content", "body", "sentence", "document", "v2",
)  # fmt: skip
SOURCE = "source"
"""The column that reports are sliced by unasked."""
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


def slice_columns(table: Table, asked: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Return the columns that reports are sliced by: the name in ``Rows.columns`` -> the name in the table.

    They are those that were ``asked`` for and after them, unless it was asked for or is ``taken``, one that
    is named ``source`` in any case, as ``source``. Raises ColumnError for a column that is missing, that the
    table has twice, or that is ``taken``: it holds the text or the label.
    """
    for name in asked:
        if table.require(name) in taken:
            raise ColumnError(
                f"{table.name} cannot be sliced by its column {name!r}, which holds the text or the label. "
                f"Name others under data.slices; its columns are {list(table.columns)}.",
                column=name,
                columns=list(table.columns),
            )
    found = {name: name for name in asked}
    sources = [column for column in table.columns if column.strip().lower() == SOURCE]
    if len(sources) == 1 and not {*asked, *taken} & {SOURCE, *sources}:
        found[SOURCE] = sources[0]
    return found
