import subprocess
import sys

import pytest

from assay.exceptions import PromotionRefused, VersionNotFound
from tests.registry.conftest import Bench, gate_for


def states(bench: Bench) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {each.number: (each.stage, each.aliases) for each in bench.registry.versions(bench.model)}


def test_registering_changes_nothing_that_serves(bench: Bench) -> None:
    bench.register()
    assert bench.registry.production(bench.model) is None


@pytest.mark.parametrize(
    ("passed", "why"), [(False, "was blocked by its gate"), (None, "has no gate decision")]
)
def test_promote_refuses_without_a_passing_gate(bench: Bench, passed: bool | None, why: str) -> None:
    bench.register(passed=passed)
    with pytest.raises(PromotionRefused, match=f"Version 1 .* {why}.*assay gate spam 1"):
        bench.registry.promote(bench.model, "1")
    assert states(bench) == {"1": ("None", ())}


def test_override_promotes_and_is_kept_with_the_version(bench: Bench) -> None:
    bench.register(passed=False)
    version = bench.registry.promote(bench.model, "1", override="the old one is broken")
    assert (version.stage, version.aliases) == ("Production", ("production",))
    assert version.tags["assay.override"] == "the old one is broken"
    assert version.gate == "blocked"


def test_gate_against_an_older_production_version_is_refused_until_repeated(bench: Bench) -> None:
    for champion in (None, "1", "1"):
        bench.register(champion=champion)
    bench.registry.promote(bench.model, "1")
    bench.registry.promote(bench.model, "2")
    with pytest.raises(PromotionRefused, match="passed its gate against version 1, but version 2 is now in"):
        bench.registry.promote(bench.model, "3")
    bench.registry.record_gate(bench.model, "3", gate_for(bench.manifest, champion="2"))
    assert bench.registry.promote(bench.model, "3").stage == "Production"


def test_gate_without_a_comparison_is_refused_once_something_serves(bench: Bench) -> None:
    bench.register()
    bench.register()
    bench.registry.promote(bench.model, "1")
    with pytest.raises(PromotionRefused, match="passed its gate against no version, but version 1 is now"):
        bench.registry.promote(bench.model, "2")


def test_rollback_takes_the_previous_version_back_at_once(bench: Bench) -> None:
    bench.register()
    bench.register(champion="1")
    bench.registry.promote(bench.model, "1")
    bench.registry.promote(bench.model, "2")
    assert bench.registry.promote(bench.model, "previous").number == "1"
    assert states(bench) == {"1": ("Production", ("production",)), "2": ("Archived", ("previous",))}
    assert bench.registry.promote(bench.model, "previous").number == "2"
    assert states(bench) == {"1": ("Archived", ("previous",)), "2": ("Production", ("production",))}


def test_promoting_what_serves_changes_nothing(bench: Bench) -> None:
    bench.register()
    bench.register(champion="1")
    bench.registry.promote(bench.model, "1")
    bench.registry.promote(bench.model, "2")
    before = states(bench)
    bench.registry.promote(bench.model, "2")
    assert states(bench) == before


def test_staging_needs_no_gate_and_is_left_on_promotion(bench: Bench) -> None:
    bench.register(passed=None)
    bench.register()
    bench.registry.promote(bench.model, "1", to="staging")
    assert states(bench)["1"] == ("Staging", ("staging",))
    bench.registry.promote(bench.model, "2", to="staging")
    assert states(bench) == {"1": ("Archived", ()), "2": ("Staging", ("staging",))}
    bench.registry.promote(bench.model, "2")
    assert states(bench)["2"] == ("Production", ("production",))
    with pytest.raises(PromotionRefused, match="is in production"):
        bench.registry.promote(bench.model, "2", to="staging")


def test_stages_edited_elsewhere_are_brought_back_in_step(bench: Bench) -> None:
    for champion in (None, "1", "2"):
        bench.register(champion=champion)
    bench.registry.promote(bench.model, "1")
    bench.registry.promote(bench.model, "2")
    with bench.registry._client.session() as mlflow:
        mlflow.transition_model_version_stage(bench.model, "3", "Production")
        mlflow.transition_model_version_stage(bench.model, "2", "Staging")
    assert {each.number for each in bench.registry.align_stages(bench.model)} == {"2", "3"}
    assert {number: stage for number, (stage, _) in states(bench).items()} == {
        "1": "Archived",
        "2": "Production",
        "3": "Archived",
    }
    assert bench.registry.align_stages(bench.model) == []


def test_unknown_version_is_refused(bench: Bench) -> None:
    bench.register()
    with pytest.raises(VersionNotFound, match=r"has no version '4'. It has 1"):
        bench.registry.promote(bench.model, "4")


PROMOTE = """
import sys
from pathlib import Path
from assay.registry import Registry
uri, home, model, number = sys.argv[1:]
Registry(uri, Path(home)).promote(model, number, override="a race")
"""


def test_processes_that_promote_at_once_leave_one_production_version(bench: Bench) -> None:
    bench.register(passed=None)
    bench.register(passed=None)
    command = [sys.executable, "-c", PROMOTE, bench.uri, str(bench.home), bench.model]
    processes = [subprocess.Popen([*command, number]) for number in "12"]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    (archived, production) = sorted(bench.registry.versions(bench.model), key=lambda each: each.stage)
    assert (archived.stage, archived.aliases) == ("Archived", ("previous",))
    assert (production.stage, production.aliases) == ("Production", ("production",))
