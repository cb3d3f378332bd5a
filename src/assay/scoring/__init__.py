"""Artifact to decisions without the web: files in, the same rows with their decisions out."""

from assay.scoring.files import Scored, Tally, open_input, score_parts, score_rows, score_table
from assay.scoring.spreadsheets import safe_cell
from assay.scoring.writing import COLUMNS, Answer, check_output, replacing

__all__ = [
    "COLUMNS",
    "Answer",
    "Scored",
    "Tally",
    "check_output",
    "open_input",
    "replacing",
    "safe_cell",
    "score_parts",
    "score_rows",
    "score_table",
]
