"""Statements that become their opposite: "not" after a form of "to be", "n't" after what helps a verb."""

import re

_SUBJECTS = "i|you|u|he|she|it|we|they|this|that|these|those|there|who|which"
_QUESTIONS = "what|how|where|when|why|whose|whatever"
_DENIALS = "not|never|no|none|nothing|nobody|neither|hardly|barely"
_OPPOSITES = {
    "can": "can't",
    "could": "couldn't",
    "should": "shouldn't",
    "will": "won't",
    "would": "wouldn't",
    "'ll": " won't",
}
"""Where "n't" joins what helps a verb; elsewhere "not" follows it."""

# A form of "to be" after a word and before one: "the plot is thin", but neither "what is this" nor "is it".
_BE = rf"(?<!\w)(?!(?:{_QUESTIONS})\ )[^\W\d_]{{1,40}}\ (?:am|is|are|was|were|(?:has|have|had)(?=\ been\b))"
_SHORT = r"(?<!\w)(?:(?:it|that|he|she|there|this)['’]s|(?:you|we|they)['’](?:re|ve)|i['’](?:m|ve))"
_HELPER = rf"(?<!\w)(?:{_SUBJECTS})(?P<helper>\ (?:can|could|may|might|must|should|will|would)|['’]ll)"
_statement = re.compile(
    rf"(?:{_BE}|{_SHORT}|{_HELPER})(?=\ (?!(?:{_DENIALS}|{_SUBJECTS})\b)\w)", re.IGNORECASE | re.VERBOSE
)


def negate(text: str) -> str | None:
    """Return a text with every statement that is recognised denied; None without one.

    >>> negate("It's long, the jokes are old and you will like it. Is it new?")
    "It's not long, the jokes are not old and you won't like it. Is it new?"
    """
    changed, count = _statement.subn(_denied, text)
    return changed if count else None


def _denied(found: re.Match[str]) -> str:
    helper = (found["helper"] or "").replace("’", "'").strip().lower()
    if helper in _OPPOSITES:
        return found[0].removesuffix(found["helper"]).rstrip() + f" {_OPPOSITES[helper].strip()}"
    return f"{found[0]} not"
