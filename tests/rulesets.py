"""A small rules file for the small corpora: an allow rule, block rules, evidence; one is folded."""

from datetime import date
from pathlib import Path

from assay.config import FoldingConfig
from assay.estimators.rules import Rules, read_rules

TODAY = date(2026, 11, 21)

RULES_TOML = r"""
[[rule]]
id = "family"
pattern = '\<(?:mum|dinner|lunch|weekend)\>.*\<(?:love|sleep|home|happy)\>'
label = "ham"
action = "decide"
note = "An allow rule: it comes before every rule for spam."
examples = ["is mum at home", "a dinner with love"]
counterexamples = ["call now to claim a prize", "mum is homeless"]

[[rule]]
id = "prize-claim"
pattern = '\<(?:prize|winner|cash|bonus)\>.*\<(?:claim|urgent|call|reply)\>'
label = "spam"
action = "decide"
examples = ["a cash prize, call for it", "winner: reply with this"]
counterexamples = ["dinner at home", "we call it a prize"]

[[rule]]
id = "spelled-free"
pattern = '\<free\>.*\<(?:offer|txt|guaranteed|mobile)\>'
label = "spam"
action = "decide"
view = "folded"
examples = ["fr3e mobile", "F R E E offer", "free and guaranteed"]
counterexamples = ["lunch is free", "an offer"]

[[rule]]
id = "urgent"
pattern = '\<(?:urgent|now|stop)\>'
label = "spam"
action = "evidence"
examples = ["stop", "it is urgent"]

[[rule]]
id = "later"
pattern = '\<(?:later|tomorrow|sorry)\>'
label = "ham"
action = "evidence"
examples = ["see you later", "sorry"]
"""
"""Columns: family (ham), prize-claim, spelled-free (spam), which decide; urgent, later (evidence)."""


def small_rules(
    folder: Path, text: str = RULES_TOML, *, positive: str = "spam", today: date = TODAY
) -> Rules:
    """Return the rules of a text, read from a file ``rules.toml`` that is written into a folder."""
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return read_rules(path, labels=("ham", "spam"), positive=positive, folding=FoldingConfig(), today=today)
