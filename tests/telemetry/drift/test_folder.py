"""The folder of a look: every kind of statistic, change and swap is written, drawn and said."""

import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from assay.estimators import Cascade, profile_of
from assay.exceptions import MissingExtra
from assay.telemetry import Gathered, Look, Swap, block_edges, look_at, look_lines, traffic_of, write_look
from assay.telemetry.drift.domain import tell_apart
from assay.telemetry.drift.since import find_change
from tests.live import HOUR, START, records_of, usual

UNTIL = START + 20 * HOUR
KINDS: tuple[Literal["grew", "shrank"], ...] = ("grew", "shrank")


@pytest.fixture(scope="module")
def ruled(ruled_cascade: Cascade) -> Look:
    """A look at decisions of which a rule makes more from the middle of the span on, texts not kept."""
    profile = profile_of(ruled_cascade, usual(300, seed=9))
    texts = usual(500) + [
        f"a cash prize, call for it: {text}" if at % 3 else text for at, text in enumerate(usual(500, seed=6))
    ]
    records = records_of(ruled_cascade, texts, keep=False)
    [traffic] = traffic_of(records, START, UNTIL).values()
    gathered = Gathered(block_edges(traffic, START, UNTIL), profile.statistics)
    gathered.take(records)
    swaps = (Swap(at=START + 10 * HOUR, after="3", before="2"),)  # type: ignore[arg-type]
    facts = {"model": "SpamClassifier", "version": "3", "since": START, "until": UNTIL, "others": {"2": 7}}
    given = {"held_out": [], "unread": "of a fault.", "notes": ("Something to know.",), "source": "profile"}
    return look_at(gathered, profile, positive="spam", swaps=swaps, **facts, **given)  # type: ignore[arg-type]


def forced(look: Look, name: str, **fields: object) -> Look:
    """Return the look with one statistic alone, in alarm."""
    [finding] = [each for each in look.findings if each.name == name]
    return look.model_copy(update={"findings": (finding.model_copy(update={"alarm": True, **fields}),)})


def test_what_a_rule_does_more_often_is_told_with_its_id(ruled: Look, tmp_path: Path) -> None:
    [decider] = [each for each in ruled.alarms if each.name == "decided_by"]
    rule = decider.labels[decider.told.first]
    said = "\n".join(look_lines(ruled))
    assert f"are decided by the rule {rule!r}; it was " in said
    assert f"assay log query spam --rule {rule}" in said
    write_look(ruled, tmp_path)
    card = (tmp_path / "drift.md").read_text()
    assert "- Version 3 took over from version 2 at 2025-11-25 02:00 UTC." in card
    assert "The log has no texts of these decisions" in card
    assert "They were not looked for, because the log has no texts" in card
    assert "Something to know." in card
    assert "Other versions decided too (version: decisions): 2: 7." in card


def test_doubts_that_became_fewer_are_no_harm(ruled: Look) -> None:
    [near] = [each for each in ruled.findings if each.name == "near"]
    told = near.told.model_copy(update={"then": 0.9})
    assert "no harm by itself" in "\n".join(look_lines(forced(ruled, "near", told=told)))
    more = near.told.model_copy(update={"then": 0.0})
    assert "less sure at its threshold" in "\n".join(look_lines(forced(ruled, "near", told=more)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_so_before_is_told_so(ruled: Look, kind: str) -> None:
    [since] = [each.since for each in ruled.alarms if each.name == "decided_by"]
    changed = forced(ruled, "decided_by", since=since.model_copy(update={"kind": kind}))
    more = "more" if kind == "grew" else "less"
    assert f"It was so when the span began, and {more} so since about " in "\n".join(look_lines(changed))


def test_small_changes_are_told_and_raise_no_alarm(ruled: Look) -> None:
    [finding] = [each for each in ruled.findings if each.name == "label"]
    small = finding.model_copy(update={"alarm": False, "corrected": 1e-6, "since": None})
    lines = list(look_lines(ruled.model_copy(update={"findings": (small,)})))
    assert any(line.startswith("Changed a little (PSI ") and "labels. " in line for line in lines)


def test_a_disk_that_is_full_leaves_no_half_file(ruled: Look, tmp_path: Path) -> None:
    (tmp_path / "drift.json").mkdir()
    with pytest.raises(OSError, match=r"drift\.json"):
        write_look(ruled, tmp_path)
    assert list(tmp_path.glob(".*.partial")) == []


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtra, match=r"Naming the words that came needs the package 'scikit-learn'"):
        tell_apart(usual(200), usual(200, seed=8))
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingExtra, match="Looking for the beginning of a change needs the package 'scipy'"):
        find_change(np.array([[5, 5], [5, 5]]))
