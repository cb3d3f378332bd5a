"""Named patterns: read from a file, checked, and searched in one pass of RE2."""

from assay.estimators.rules.rule import Hit, Rule
from assay.estimators.rules.rules import NO_RULES, Rules, parse_rules, read_rules

__all__ = [
    "NO_RULES",
    "Hit",
    "Rule",
    "Rules",
    "parse_rules",
    "read_rules",
]
