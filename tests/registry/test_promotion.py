import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.config import GatePolicy
from assay.exceptions import ArtifactError, PromotionRefused, RegistryError, VersionNotFound
from assay.registry import Version
from tests.registry.conftest import Bench, gate_for

POLICY = GatePolicy().model_dump(mode="json")


def lineage(bench: Bench, *champions: str | None) -> None:
    """Register versions whose gates passed against the champions given, and promote all but the last."""
    for champion in champions:
        bench.register(champion=champion)
    for number in range(1, len(champions)):
        bench.promote(str(number))


def test_registering_changes_nothing_that_serves(bench: Bench) -> None:
    bench.register()
    assert bench.registry.production(bench.model) is None
    assert bench.registry.history(bench.model) == []


@pytest.mark.parametrize("to", ["production", "staging"])
@pytest.mark.parametrize(
    ("passed", "why", "stale"),
    [(False, "was blocked by its gate", False), (None, "has no gate decision", True)],
)
def test_promote_refuses_without_a_passing_gate(
    bench: Bench, to: str, passed: bool | None, why: str, stale: bool
) -> None:
    bench.register(passed=passed)
    with pytest.raises(PromotionRefused, match=f"Version 1 .* {why}.*assay gate spam 1") as refused:
        bench.promote("1", to=to)
    assert refused.value.data["stale"] is stale
    assert bench.states() == {"1": ("None", ())}
    assert bench.registry.history(bench.model) == []


def test_override_promotes_and_is_kept_with_the_version_and_in_the_log(any_bench: Bench) -> None:
    any_bench.register(passed=False)
    version = any_bench.promote("1", override="the old one is broken")
    assert (version.stage, version.aliases) == ("Production", ("production",))
    assert version.tags["assay.override"] == "the old one is broken"
    assert version.gate == "blocked"
    [begun, done] = any_bench.registry.history(any_bench.model)
    assert (begun.action, done.action) == ("promoting", "promoted")
    assert (done.kind, done.reason, done.who) == ("override", "the old one is broken", "ann")
    assert done.evidence["assay.gate"] == "blocked"
    assert done.evidence["digest"] == version.digest


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 5001])
def test_override_takes_a_reason_that_can_be_kept(bench: Bench, reason: str) -> None:
    bench.register()
    with pytest.raises(PromotionRefused, match="recorded with its reason, of 1 to 5,000 characters"):
        bench.promote("1", override=reason)
    assert bench.states() == {"1": ("None", ())}


def test_gate_against_an_older_production_version_is_refused_until_repeated(bench: Bench) -> None:
    lineage(bench, None, "1", "1")
    with pytest.raises(
        PromotionRefused, match="passed its gate against version 1, but version 2 is now in"
    ) as refused:
        bench.promote("3")
    assert refused.value.data["stale"] is True
    bench.registry.record_gate(bench.model, "3", gate_for(bench.manifest, champion="2"))
    assert bench.promote("3").stage == "Production"


def test_gate_without_a_comparison_is_refused_once_something_serves(bench: Bench) -> None:
    lineage(bench, None, None)
    with pytest.raises(PromotionRefused, match="passed its gate against no version, but version 1 is now"):
        bench.promote("2")


@pytest.mark.parametrize("to", ["production", "staging"])
def test_gate_on_other_rows_than_the_current_ones_is_refused(bench: Bench, to: str) -> None:
    bench.register(rows="rows-1")
    bench.register(rows="rows-2")
    with pytest.raises(
        PromotionRefused,
        match="passed its gate on the rows 'rows-1', but the task's current rows are 'rows-2'",
    ) as refused:
        bench.promote("1", to=to)
    assert refused.value.data["stale"] is True
    assert bench.promote("2", to=to).aliases == (to,)


def test_block_on_what_is_not_current_any_more_may_be_gated_again(bench: Bench) -> None:
    bench.register(passed=False, rows="rows-1")
    bench.register(rows="rows-2")
    with pytest.raises(
        PromotionRefused, match="was blocked by its gate on the rows 'rows-1', but"
    ) as refused:
        bench.promote("1")
    assert refused.value.data["stale"] is True


def test_gate_under_another_policy_is_refused_where_one_is_given(bench: Bench) -> None:
    bench.register()
    with pytest.raises(PromotionRefused, match="under another policy than the task's of today") as refused:
        bench.promote("1", policy=POLICY | {"min_f1": 0.99})
    assert refused.value.data["stale"] is True
    assert bench.promote("1", policy=json.loads(json.dumps(POLICY))).stage == "Production"


def test_promotion_is_written_as_mlflow_reads_it(any_bench: Bench) -> None:
    lineage(any_bench, None, "1", "2")
    expected = {"1": ("Archived", ("previous",)), "2": ("Production", ("production",)), "3": ("None", ())}
    assert any_bench.states() == any_bench.mlflow_states() == expected
    any_bench.promote("3", to="staging")
    assert any_bench.mlflow_states() == expected | {"3": ("Staging", ("staging",))}
    any_bench.promote("3")
    expected = {"1": ("Archived", ()), "2": ("Archived", ("previous",)), "3": ("Production", ("production",))}
    assert any_bench.states() == any_bench.mlflow_states() == expected
    assert any_bench.settle() == []
    assert any_bench.faults() == []


def test_what_mlflow_keeps_of_time_moves_as_with_its_own_client(any_bench: Bench) -> None:
    lineage(any_bench, None, "1")
    with any_bench.registry._client.session() as mlflow:
        before = mlflow.get_registered_model(any_bench.model).last_updated_timestamp
        untouched = mlflow.get_model_version(any_bench.model, "2").last_updated_timestamp
    any_bench.promote("1")
    with any_bench.registry._client.session() as mlflow:
        assert mlflow.get_registered_model(any_bench.model).last_updated_timestamp == before
        assert mlflow.get_model_version(any_bench.model, "2").last_updated_timestamp == untouched
    any_bench.promote("2")
    with any_bench.registry._client.session() as mlflow:
        assert mlflow.get_registered_model(any_bench.model).last_updated_timestamp > before
        assert mlflow.get_model_version(any_bench.model, "2").last_updated_timestamp > untouched
        # MLflow's own client goes on from there.
        mlflow.set_registered_model_alias(any_bench.model, "champion", "2")
        mlflow.transition_model_version_stage(any_bench.model, "2", "Staging")
    assert any_bench.states()["2"] == ("Staging", ("champion", "production"))


def test_promotion_leaves_its_tags_and_two_entries(bench: Bench) -> None:
    bench.register()
    version = bench.promote("1")
    [begun, done] = bench.registry.history(bench.model)
    assert version.tags["assay.audit"] == done.hash
    assert version.tags["assay.promoted_at"] == begun.at.isoformat(timespec="seconds")
    assert (begun.before, begun.after, begun.seat, begun.kind) == (None, "1", "production", "promotion")
    assert done.evidence == begun.evidence | {"intent": begun.number}
    assert done.evidence["assay.gate.rows"] == "rows-1"


def test_promoting_what_serves_changes_nothing(bench: Bench) -> None:
    lineage(bench, None, "1")
    bench.promote("2")
    before, log = bench.registry.versions(bench.model), bench.registry.history(bench.model)
    assert bench.promote("2") == before[1]
    assert bench.rollback("2") == before[1]
    assert bench.registry.versions(bench.model) == before
    assert bench.registry.history(bench.model) == log


def test_staging_is_left_for_production_and_taken_over(bench: Bench) -> None:
    bench.register()
    bench.register()
    bench.promote("1", to="staging")
    assert bench.states()["1"] == ("Staging", ("staging",))
    bench.promote("2", to="staging")
    assert bench.states() == {"1": ("Archived", ()), "2": ("Staging", ("staging",))}
    bench.promote("2")
    assert bench.states()["2"] == ("Production", ("production",))
    staged = [
        (each.before, each.after)
        for each in bench.registry.history(bench.model)
        if each.seat == "staging" and each.action == "promoted"
    ]
    assert staged == [(None, "1"), ("1", "2"), ("2", None)]
    assert bench.settle() == []
    with pytest.raises(PromotionRefused, match="is in production"):
        bench.promote("2", to="staging")


def test_unknown_version_is_refused(bench: Bench) -> None:
    bench.register()
    with pytest.raises(VersionNotFound, match=r"has no version '4'. It has 1"):
        bench.promote("4")
    with pytest.raises(VersionNotFound, match="no model 'Ghost'"):
        bench.registry.promote("Ghost", "1", who="ann")


@pytest.mark.parametrize("reference", ["1", "previous", None])
def test_rollback_takes_a_version_back_that_served(any_bench: Bench, reference: str | None) -> None:
    lineage(any_bench, None, "1")
    any_bench.promote("2")
    assert any_bench.rollback(reference, reason="false alarms").number == "1"
    expected = {"1": ("Production", ("production",)), "2": ("Archived", ("previous",))}
    assert any_bench.states() == any_bench.mlflow_states() == expected
    done = any_bench.registry.history(any_bench.model)[-1]
    assert (done.kind, done.reason, done.before, done.after) == ("rollback", "false alarms", "2", "1")
    assert any_bench.rollback("2").number == "2"
    assert any_bench.states()["1"] == ("Archived", ("previous",))
    assert any_bench.faults() == []


def test_rollback_needs_no_gate_on_what_is_current(bench: Bench) -> None:
    lineage(bench, None, "1")
    bench.promote("2")
    bench.registry.record_gate(bench.model, "1", gate_for(bench.manifest, passed=False, rows="rows-9"))
    assert bench.rollback().number == "1"


def test_rollback_to_what_never_served_is_refused(bench: Bench) -> None:
    lineage(bench, None, "1")
    bench.promote("2", to="staging")
    with pytest.raises(
        PromotionRefused,
        match=r"Version 2 .* never been in production.*In production have been: 1\..*assay promote spam 2",
    ):
        bench.rollback("2")
    assert bench.states()["2"] == ("Staging", ("staging",))
    with pytest.raises(VersionNotFound, match="has no version '7'"):
        bench.rollback("7")


def test_rollback_without_a_version_before_says_what_there_is(bench: Bench) -> None:
    with pytest.raises(VersionNotFound, match="no model"):
        bench.rollback()
    bench.register()
    with pytest.raises(
        PromotionRefused, match=r"no version that was in production before this one.*been: none"
    ):
        bench.rollback()
    bench.promote("1")
    with pytest.raises(PromotionRefused, match=r"have been: 1\. It has 1 \(production\); name one"):
        bench.rollback()


def test_versions_promoted_before_there_was_a_log_can_be_rolled_back_to(bench: Bench) -> None:
    lineage(bench, None, "1")
    bench.promote("2")
    (bench.home / "assay.db").unlink()
    assert bench.rollback().number == "1"
    [found, *_] = bench.registry.history(bench.model)
    assert (found.action, found.before, found.after) == ("edited", None, "2")
    assert any("not in the log" in fault for fault in bench.registry.verify().faults)


def folder_of(bench: Bench, number: str) -> Path:
    return Path(bench.registry.version(bench.model, number).source.removeprefix("file://"))


WAYS: dict[str, Callable[[Bench], Version]] = {
    "production": lambda bench: bench.promote("3"),
    "staging": lambda bench: bench.promote("3", to="staging"),
    "override": lambda bench: bench.promote("3", override="it has to go out"),
    "rollback": lambda bench: bench.rollback("1"),
}


def test_damaged_version_is_not_said_to_have_the_seat_that_it_has(bench: Bench) -> None:
    lineage(bench, None, "1")
    bench.promote("2")
    (folder_of(bench, "2") / "model.safetensors").write_bytes(b"rotten")
    with pytest.raises(ArtifactError, match="is damaged"):
        bench.promote("2")
    with pytest.raises(ArtifactError, match="is damaged"):
        bench.rollback("2")


def test_rollback_to_a_damaged_version_names_the_others_that_served(bench: Bench) -> None:
    lineage(bench, None, "1", "2")
    bench.promote("2")
    bench.promote("3")
    shutil.rmtree(folder_of(bench, "2"))
    told = r"Nothing was changed\. In production have been: 1, 2, 3\. .*assay rollback spam VERSION"
    with pytest.raises(ArtifactError, match=told):
        bench.rollback()


@pytest.mark.parametrize("damage", ["weights", "gone", "manifest"])
@pytest.mark.parametrize("way", WAYS)
def test_damaged_version_never_gets_a_seat(bench: Bench, damage: str, way: str) -> None:
    lineage(bench, None, "1")
    bench.promote("2")
    bench.register(champion="2")
    damaged = "1" if way == "rollback" else "3"
    folder, before = folder_of(bench, damaged), bench.registry.versions(bench.model)
    if damage == "gone":
        shutil.rmtree(folder)
    elif damage == "weights":
        (folder / "model.safetensors").write_bytes(b"rotten")
    else:
        (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + " ")
    log = bench.registry.history(bench.model)
    with pytest.raises(ArtifactError, match=r"is damaged|cannot be read|is not what was registered"):
        WAYS[way](bench)
    assert bench.registry.versions(bench.model) == before
    assert bench.registry.history(bench.model) == log


@pytest.mark.parametrize("name", ["manifest.json", "model.safetensors"])
def test_version_damaged_on_the_server_never_gets_a_seat(
    http_bench: Bench, tmp_path: Path, name: str
) -> None:
    lineage(http_bench, None, "1")
    http_bench.promote("2")
    changed = tmp_path / name
    changed.write_bytes((http_bench.artifact / name).read_bytes() + b" ")
    with http_bench.registry._client.session() as mlflow:
        run_id = http_bench.registry.version(http_bench.model, "1").run_id
        mlflow.log_artifact(run_id, str(changed), "model")
    # A whole copy is on this machine, and that does not help the others.
    assert list((http_bench.home / "cache").iterdir())
    with pytest.raises(ArtifactError, match=f"{name} of version 1 .* is not what was registered"):
        http_bench.rollback()
    with http_bench.registry._client.session() as mlflow:
        for each in mlflow.list_artifacts(run_id, "model"):
            mlflow._tracking_client._get_artifact_repo(run_id).delete_artifacts(each.path)
    with pytest.raises(RegistryError):
        http_bench.rollback()
    assert http_bench.states()["2"] == ("Production", ("production",))


def test_version_kept_where_only_a_server_reaches_is_refused(bench: Bench) -> None:
    with bench.registry._client.session() as mlflow:
        mlflow.create_registered_model(bench.model)
        mlflow.create_model_version(
            bench.model, source="mlflow-artifacts:/1/model", tags={"assay.task": "spam"}
        )
    with pytest.raises(RegistryError, match="only an MLflow server hands out"):
        bench.promote("1", override="to see")
