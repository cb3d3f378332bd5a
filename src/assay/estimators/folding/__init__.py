"""The folded view of a text: its disguises undone."""

from assay.estimators.folding.folding import Folded, fold, fold_with_spans, folder

__all__ = [
    "Folded",
    "fold",
    "fold_with_spans",
    "folder",
]
