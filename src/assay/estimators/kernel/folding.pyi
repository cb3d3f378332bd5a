"""The folded view of texts."""

from collections.abc import Callable
from typing import final

@final
class Folder:
    """Folds texts under one configuration.

    ``alone`` says what the steps before those over words make of a character among any others, or None
    where neighbours have a say; a text with such a character goes through ``front``, which takes those
    steps. ``entity`` tells the meaning of an HTML entity that was written without its ampersand; with None
    they stay. ``leet`` are at most 32 signs and the letters they stand for.
    """

    def __init__(
        self,
        *,
        alone: Callable[[str], str | None],
        front: Callable[[str], str],
        entity: Callable[[str], str] | None,
        leet: dict[str, str],
        spacing: bool,
        leetspeak: bool,
        elongation: bool,
    ) -> None: ...
    def fold(self, text: str, /) -> str:
        """Return the folded view of a text. Raises TypeError for what is no text."""
