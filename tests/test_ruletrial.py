"""``assay rules test``: which rules fire on a text, where, and what they decide."""

import io
import sys
from pathlib import Path

import pytest

from assay.cli import main
from assay.exceptions import ConfigError, TextError
from assay.ruletrial import shortened, try_rules
from assay.settings import Settings
from tests.rulesets import RULES_TOML

TASK = (
    'name = "{0}"\nlabels = ["ham", "spam"]\npositive = "spam"\nrules = "{0}.rules.toml"\n'
    '[data]\nsource = "mine.csv"\ntext = "T"\nlabel = "L"\n'
)
EXPIRED = """
[[rule]]
id = "spring-sale"
pattern = 'sale'
label = "spam"
action = "decide"
expires = 2020-05-31
examples = ["a sale"]
"""


def write_task(name: str = "mine", rules: str = RULES_TOML) -> None:
    """Write a task with rules into the folder of tasks."""
    Path("tasks").mkdir(exist_ok=True)
    Path(f"tasks/{name}.toml").write_text(TASK.format(name))
    Path(f"tasks/{name}.rules.toml").write_text(rules)


def tried(text: str, task: str | None = None) -> list[str]:
    """Return what is said of a text."""
    return try_rules(text, task, Settings())


@pytest.fixture(autouse=True)
def _a_task_with_rules(workplace: Path) -> None:
    write_task()


def test_rules_are_shown_where_they_fire_and_the_first_that_decides_does() -> None:
    assert tried("a prize to CLAIM: prize, call now. F R E E offer") == [
        "tasks/mine.rules.toml: 5 active rules",
        "  prize-claim: decide 'spam' at 2-29 'prize to CLAIM: prize, call'",
        "  spelled-free: decide 'spam' (folded) at 35-48 'F R E E offer'",
        "  urgent: evidence 'spam' at 30-33 'now'",
        "Decided: 'spam', by prize-claim.",
    ]
    assert tried("dinner with love: a prize, claim it")[-1] == "Decided: 'ham', by family."


def test_evidence_leaves_the_decision_to_the_model() -> None:
    assert tried("see you tomorrow")[1:] == [
        "  later: evidence 'ham' at 8-16 'tomorrow'",
        "No rule decides; the model does, with this evidence.",
    ]
    assert tried("hello")[1:] == ["No rule decides; the model does."]


def test_rules_that_are_off_are_named() -> None:
    write_task(rules=EXPIRED)
    assert tried("a sale") == [
        "tasks/mine.rules.toml: 0 active rules; off: spring-sale (expired on 2020-05-31)",
        "No rule decides; the model does.",
    ]
    write_task(rules=EXPIRED.replace("2020", "9998"))
    assert tried("a sale")[0] == "tasks/mine.rules.toml: 1 active rule"


def test_many_places_and_long_ones_are_shortened() -> None:
    [_, line, _] = tried("stop " * 8)
    assert line.endswith("at 0-4 'stop', 5-9 'stop', 10-14 'stop', 15-19 'stop', 20-24 'stop', and 3 more")
    assert shortened("a" * 30 + "b" * 30) == repr("a" * 30 + "b" * 30)
    assert shortened("a" * 40 + "b" * 40) == repr("a" * 30 + " ... " + "b" * 30)


def test_the_task_is_the_only_one_with_rules_or_the_one_that_is_named() -> None:
    Path("tasks/plain.toml").write_text(TASK.format("plain").replace('rules = "plain.rules.toml"\n', ""))
    assert tried("hello")[0].startswith("tasks/mine.rules.toml")
    write_task("other")
    with pytest.raises(ConfigError, match=r"\['mine', 'other'\] have rules in 'tasks'\. .*: --task NAME"):
        tried("hello")
    assert tried("hello", "other")[0].startswith("tasks/other.rules.toml")
    assert tried("hello", "tasks/other.toml")[0].startswith("tasks/other.rules.toml")
    for name in ("mine", "other"):
        Path(f"tasks/{name}.toml").unlink()
    with pytest.raises(ConfigError, match=r"No task file in 'tasks' names rules\. Name a file of them"):
        tried("hello")


def test_a_task_without_rules_is_told_how_to_have_some() -> None:
    Path("tasks/mine.toml").write_text(TASK.format("mine").replace('rules = "mine.rules.toml"\n', ""))
    with pytest.raises(ConfigError, match=r"'mine' names no rules\. Write some into mine\.rules\.toml"):
        tried("hello", "mine")


@pytest.mark.parametrize("text", ["", " \n", "caf\udce9", "stop " * 2_000_000])
def test_a_text_that_cannot_be_scored_is_refused(text: str) -> None:
    with pytest.raises(TextError, match=r"^The text (is empty|has a lone surrogate|has 10,000,000 bytes)"):
        tried(text)


def test_a_text_comes_from_the_command_or_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["rules", "test", "stop it"]) == 0
    said = capsys.readouterr().out
    assert "urgent: evidence" in said
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"stop it\n")))
    assert main(["rules", "test", "--task", "mine", "-"]) == 0
    assert capsys.readouterr().out == said
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9"), "utf-8"))
    assert main(["rules", "test", "-"]) == 1
    assert "The text has a lone surrogate at character 3" in capsys.readouterr().err
