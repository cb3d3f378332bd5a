"""Two promotions at once: one wins, and the other is told by whom it was overtaken."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from assay.exceptions import PromotionRefused
from tests.registry.conftest import Bench, gate_for

PROMOTE = """
import json, sys
from pathlib import Path
from assay.database import Database
from assay.exceptions import PromotionRefused
from assay.registry import Registry, promotion
values = json.loads(sys.argv[1])
registry = Registry(values["uri"], Path(values["home"]), Database(values["people"]))
def ask(word):
    print(word, flush=True)
    return sys.stdin.readline().strip()
if values["pause"]:
    take_seat = promotion.take_seat
    def paused(*given):
        ask("holding the lock")
        take_seat(*given)
    promotion.take_seat = paused
number = values["number"]
try:
    version = registry.production(values["model"])
    seen = version.number if version else ""
    if not values["pause"]:
        ask("ready")
    registry.promote(values["model"], number, who=f"person {number}", override="a race", expected=seen)
except PromotionRefused as refused:
    ask(f"refused: {refused.message}")
else:
    ask("promoted")
"""


@contextmanager
def promoting(bench: Bench, number: str, *, pause: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Run a promotion in a process of its own, which tells how far it is and waits for an answer."""
    values = {"uri": bench.uri, "home": str(bench.home), "people": f"sqlite:///{bench.home / 'assay.db'}"}
    values |= {"model": bench.model, "number": number, "pause": pause}
    process = subprocess.Popen(
        [sys.executable, "-c", PROMOTE, json.dumps(values)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def hear(process: subprocess.Popen[str]) -> str:
    """Return the next word of a process."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def answer(process: subprocess.Popen[str]) -> None:
    """Let a process that has told something go on."""
    assert process.stdin is not None
    process.stdin.write("go on\n")
    process.stdin.flush()


def test_of_promotions_at_once_one_wins_and_the_others_are_told(any_bench: Bench) -> None:
    for _ in range(3):
        any_bench.register(passed=None)
    with (
        promoting(any_bench, "1") as first,
        promoting(any_bench, "2") as second,
        promoting(any_bench, "3") as third,
    ):
        processes = [first, second, third]
        assert [hear(each) for each in processes] == ["ready"] * 3
        for each in processes:
            answer(each)
        told = [hear(each) for each in processes]
    assert sorted(told)[0] == "promoted"
    winner = str(told.index("promoted") + 1)
    for line in sorted(told)[1:]:
        assert line.startswith("refused: ")
        assert "nothing was changed" in line.lower()
        assert f"person {winner}" in line or "is changing who serves" in line
    states = any_bench.states()
    assert states.pop(winner) == ("Production", ("production",))
    assert set(states.values()) == {("None", ())}
    assert any_bench.settle() == []
    assert any_bench.faults() == []


def test_a_promotion_that_meets_another_is_refused_naming_it(bench: Bench) -> None:
    bench.register()
    bench.register()
    with promoting(bench, "1", pause=True) as process:
        assert hear(process) == "holding the lock"
        for call in (lambda: bench.promote("2"), bench.rollback, bench.settle):
            with pytest.raises(
                PromotionRefused, match=r"person 1 is changing who serves of .* since .*; nothing was changed"
            ) as refused:
                call()
            assert refused.value.data["stale"] is False
        assert bench.states() == {"1": ("None", ()), "2": ("None", ())}
        answer(process)
        assert hear(process) == "promoted"
    assert bench.states()["1"] == ("Production", ("production",))


def test_a_promotion_that_is_killed_leaves_the_lock_free(bench: Bench) -> None:
    bench.register()
    bench.register()
    with promoting(bench, "1", pause=True) as process:
        assert hear(process) == "holding the lock"
        process.kill()
        process.wait()
        assert bench.promote("2").stage == "Production"
    actions = [(each.action, each.after) for each in bench.registry.history(bench.model)]
    assert actions == [("promoting", "1"), ("abandoned", "1"), ("promoting", "2"), ("promoted", "2")]


def test_a_promotion_decided_before_another_is_refused_naming_it(bench: Bench) -> None:
    for champion in (None, "1", "1"):
        bench.register(champion=champion)
    bench.promote("1")
    bench.promote("2", who="bob@desk")
    log = bench.registry.history(bench.model)
    for options in ({}, {"override": "in a hurry"}):
        with pytest.raises(
            PromotionRefused,
            match=r"was version 1 when this began and is version 2 now, by bob@desk at .* Nothing was",
        ) as refused:
            bench.promote("3", expected="1", **options)
        assert refused.value.data["stale"] is True
    assert bench.registry.history(bench.model) == log
    with pytest.raises(PromotionRefused, match="was empty when this began and is version 2 now"):
        bench.promote("3", expected="")
    bench.registry.record_gate(bench.model, "3", gate_for(bench.manifest, champion="2"))
    assert bench.promote("3", expected="2").stage == "Production"


def test_an_alias_moved_in_mlflow_in_the_middle_is_not_written_over(
    any_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.registry import promotion

    for champion in (None, "1", "1"):
        any_bench.register(champion=champion)
    any_bench.promote("1")
    take_seat = promotion.take_seat

    def overtaken(*given: object) -> None:
        with any_bench.registry._client.session() as mlflow:
            mlflow.set_registered_model_alias(any_bench.model, "production", "3")
        take_seat(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(promotion, "take_seat", overtaken)
        with pytest.raises(
            PromotionRefused, match="was version 1 and is version 3 now: somebody has moved it"
        ) as refused:
            any_bench.promote("2")
    assert refused.value.data["stale"] is True
    last = any_bench.registry.history(any_bench.model)[-1]
    assert (last.action, last.after) == ("abandoned", "2")
    assert "assay.audit" not in any_bench.registry.version(any_bench.model, "2").tags
    [told, *_] = any_bench.settle()
    assert "is version 3; by the audit log it was version 1" in told


def test_who_lost_its_lock_to_another_leaves_no_word_of_an_edit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.registry import promotion

    for champion in (None, "1", "1"):
        bench.register(champion=champion)
    bench.promote("1")
    take_seat = promotion.take_seat

    def lost(*given: object) -> None:
        # As where the server ends the session that holds the lock, and the next command comes first.
        monkeypatch.setattr(promotion, "take_seat", take_seat)
        monkeypatch.setattr(type(bench.registry._books), "held", lambda *_: nullcontext())
        bench.promote("3", who="bob")
        take_seat(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(promotion, "take_seat", lost)
    with pytest.raises(PromotionRefused, match="was version 1 and is version 3 now"):
        bench.promote("2")
    assert bench.settle() == []
    actions = [(each.action, each.after) for each in bench.registry.history(bench.model)]
    assert actions[2:] == [("promoting", "2"), ("abandoned", "2"), ("promoting", "3"), ("promoted", "3")]


def test_a_version_deleted_in_mlflow_in_the_middle_gets_no_seat(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.exceptions import VersionNotFound
    from assay.registry import promotion

    bench.register()
    bench.register(champion="1")
    bench.promote("1")
    take_seat = promotion.take_seat

    def deleted(*given: object) -> None:
        with bench.registry._client.session() as mlflow:
            mlflow.delete_model_version(bench.model, "2")
        take_seat(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(promotion, "take_seat", deleted)
    with pytest.raises(VersionNotFound, match="has no version '2' any more"):
        bench.promote("2")
    assert bench.states() == {"1": ("Production", ("production",))}
    [told] = bench.settle()
    assert told.endswith("it is marked as abandoned.")
