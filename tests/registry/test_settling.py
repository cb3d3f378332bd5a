"""What was edited outside Assay or cut off is noticed, told, recorded and put right by the next command."""

import pytest

from assay.audit import Kind, Seat
from assay.exceptions import PromotionRefused
from assay.registry import tenure_at, tenures
from tests.registry.conftest import Bench

LINEAGE = (None, "1", "2")


@pytest.fixture
def seated(any_bench: Bench) -> Bench:
    """Three versions: 1 archived, 2 in production after it, 3 passed and waiting."""
    for champion in LINEAGE:
        any_bench.register(champion=champion)
    any_bench.promote("1")
    any_bench.promote("2")
    return any_bench


def actions(bench: Bench) -> list[tuple[str, str, str | None, str | None]]:
    """Return what the log says, without who and why."""
    history = bench.registry.history(bench.model)
    return [(each.action, each.seat, each.before, each.after) for each in history]


def test_a_registry_in_step_is_left_alone(seated: Bench) -> None:
    before, log = seated.registry.versions(seated.model), seated.registry.history(seated.model)
    assert seated.settle() == []
    assert seated.registry.versions(seated.model) == before
    assert seated.registry.history(seated.model) == log


def test_a_model_that_does_not_exist_is_in_step(bench: Bench) -> None:
    assert bench.settle() == []
    assert bench.registry.history(bench.model) == []


def test_who_finds_all_in_step_takes_no_lock(seated: Bench) -> None:
    with seated.registry._books.held(seated.model, "bob"):
        assert seated.settle() == []


def test_who_finds_something_out_of_step_waits_for_who_is_at_it(seated: Bench) -> None:
    with seated.registry._client.session() as mlflow:
        mlflow.transition_model_version_stage(seated.model, "3", "Production")
    with (
        seated.registry._books.held(seated.model, "bob"),
        pytest.raises(PromotionRefused, match="bob"),
    ):
        seated.settle()


def test_stages_edited_elsewhere_are_told_put_right_and_recorded(seated: Bench) -> None:
    with seated.registry._client.session() as mlflow:
        mlflow.transition_model_version_stage(seated.model, "3", "Production")
        mlflow.transition_model_version_stage(seated.model, "2", "Staging")
    said = seated.settle()
    assert [line.partition("; ")[0] for line in said] == [
        f"The stage of version 2 of {seated.model!r} was Staging",
        f"The stage of version 3 of {seated.model!r} was Production",
    ]
    assert {number: stage for number, (stage, _) in seated.mlflow_states().items()} == {
        "1": "Archived",
        "2": "Production",
        "3": "Archived",
    }
    last = seated.registry.history(seated.model)[-1]
    assert (last.action, last.who, last.kind, last.evidence) == ("edited", "ann", "edit", {"put_right": said})
    assert [each.version for each in tenures(seated.registry.history(seated.model))] == ["1", "2"]
    assert seated.settle() == []


def test_stages_put_right_after_a_rollback_do_not_let_the_next_one_undo_it(seated: Bench) -> None:
    assert seated.rollback().number == "1"
    with seated.registry._client.session() as mlflow:
        mlflow.transition_model_version_stage(seated.model, "3", "Production")
    assert len(seated.settle()) == 1
    with pytest.raises(PromotionRefused, match="ann went back from version 2 to version 1 at "):
        seated.rollback()
    assert seated.states()["1"] == ("Production", ("production",))


def test_production_moved_elsewhere_stays_and_is_told_and_recorded(seated: Bench) -> None:
    with seated.registry._client.session() as mlflow:
        mlflow.set_registered_model_alias(seated.model, "production", "3")
    said = seated.settle()
    assert said[0] == (
        f"Production of {seated.model!r} is version 3; by the audit log it was version 2. "
        "It was changed outside Assay, or before the log began; this is recorded. "
        "Take it back with: assay rollback spam 2"
    )
    assert seated.mlflow_states() == {
        "1": ("Archived", ()),
        "2": ("Archived", ("previous",)),
        "3": ("Production", ("production",)),
    }
    edit = seated.registry.history(seated.model)[-2]
    assert (edit.action, edit.who, edit.before, edit.after) == ("edited", "unknown (outside Assay)", "2", "3")
    assert edit.evidence == {"noticed_by": "ann"}
    assert seated.settle() == []
    assert seated.rollback().number == "2"
    log = seated.registry.history(seated.model)
    assert [each.version for each in tenures(log)] == ["1", "2", "3", "2"]
    served = tenure_at(log, edit.at)
    assert served is not None
    assert served.version == "3"
    assert seated.faults() == []


def test_production_removed_elsewhere_stays_empty_until_rolled_back(seated: Bench) -> None:
    with seated.registry._client.session() as mlflow:
        mlflow.delete_registered_model_alias(seated.model, "production")
    [told, *_] = seated.settle()
    assert "is empty; by the audit log it was version 2" in told
    assert seated.states()["2"] == ("Archived", ("previous",))
    assert seated.rollback().number == "2"
    assert seated.states()["2"] == ("Production", ("production",))


def test_production_version_deleted_elsewhere_is_told_without_a_way_back_to_it(seated: Bench) -> None:
    with seated.registry._client.session() as mlflow:
        mlflow.delete_model_version(seated.model, "2")
    [told, *_] = seated.settle()
    assert told.endswith("this is recorded.")
    assert seated.rollback().number == "1"
    assert seated.states()["1"] == ("Production", ("production",))


def test_previous_moved_elsewhere_follows_production_again(seated: Bench) -> None:
    with seated.registry._client.session() as mlflow:
        mlflow.set_registered_model_alias(seated.model, "previous", "3")
    [told] = seated.settle()
    assert told.endswith(
        f"'previous' of {seated.model!r} was with version 3; it follows production and is with version 1."
    )
    assert seated.mlflow_states()["1"] == ("Archived", ("previous",))
    with seated.registry._client.session() as mlflow:
        mlflow.delete_registered_model_alias(seated.model, "previous")
    [told] = seated.settle()
    assert "was missing" in told
    assert seated.rollback().number == "1"


def test_staging_moved_elsewhere_is_recorded(seated: Bench) -> None:
    with seated.registry._client.session() as mlflow:
        mlflow.set_registered_model_alias(seated.model, "staging", "3")
    said = seated.settle()
    assert f"Staging of {seated.model!r} is version 3; by the audit log it was empty." in said[0]
    assert seated.states()["3"] == ("Staging", ("staging",))
    assert ("edited", "staging", None, "3") in actions(seated)


def test_the_next_promotion_settles_first(seated: Bench) -> None:
    with seated.registry._client.session() as mlflow:
        mlflow.set_registered_model_alias(seated.model, "production", "1")
        mlflow.transition_model_version_stage(seated.model, "3", "Staging")
    seated.promote("3", override="on top of an edit")
    assert seated.mlflow_states() == {
        "1": ("Archived", ("previous",)),
        "2": ("Archived", ()),
        "3": ("Production", ("production",)),
    }
    assert ("edited", "production", "2", "1") in actions(seated)
    assert seated.settle() == []


def begin(
    bench: Bench, number: str, before: str | None, seat: Seat = "production", kind: Kind = "promotion"
) -> None:
    """Leave the log as a promotion does that dies before it is done."""
    bench.registry._books.audit.append(
        who="bob",
        action="promoting",
        model=bench.model,
        seat=seat,
        before=before,
        after=number,
        kind=kind,
        reason="why not",
        evidence={"assay.gate": "passed"},
    )


def test_a_move_that_was_cut_off_before_it_took_place_is_abandoned(seated: Bench) -> None:
    begin(seated, "3", "2")
    [told] = seated.settle()
    assert told.startswith(f"The move of version 3 of {seated.model!r} to production, begun by bob at ")
    assert told.endswith("was cut off before it took place: it is marked as abandoned.")
    assert actions(seated)[-1] == ("abandoned", "production", "2", "3")
    assert [each.version for each in tenures(seated.registry.history(seated.model))] == ["1", "2"]
    assert seated.settle() == []


def test_a_move_that_was_cut_off_after_it_took_place_is_completed(seated: Bench) -> None:
    seated.promote("3", to="staging")
    begin(seated, "3", "2")
    with seated.registry._client.session() as mlflow:
        mlflow.set_registered_model_alias(seated.model, "production", "3")
    [told] = seated.settle()
    assert told.endswith("was cut off after it had taken place: it is completed.")
    done = seated.registry.history(seated.model)[-1]
    assert (done.action, done.who, done.reason, done.after) == ("promoted", "bob", "why not", "3")
    assert done.evidence["settled_by"] == "ann"
    assert done.evidence["assay.gate"] == "passed"
    assert ("promoted", "staging", "3", None) in actions(seated)
    assert seated.mlflow_states() == {
        "1": ("Archived", ()),
        "2": ("Archived", ("previous",)),
        "3": ("Production", ("production",)),
    }
    assert "assay.promoted_at" in seated.registry.version(seated.model, "3").tags
    assert seated.settle() == []


def test_a_move_cut_off_and_overtaken_by_an_edit_is_abandoned_and_the_edit_recorded(bench: Bench) -> None:
    for champion in LINEAGE:
        bench.register(champion=champion)
    bench.promote("1")
    begin(bench, "2", "1")
    with bench.registry._client.session() as mlflow:
        mlflow.set_registered_model_alias(bench.model, "production", "3")
    bench.settle()
    assert actions(bench)[-3:-1] == [
        ("abandoned", "production", "1", "2"),
        ("edited", "production", "1", "3"),
    ]
    assert bench.rollback().number == "1"


def test_a_move_to_staging_that_was_cut_off_is_completed(seated: Bench) -> None:
    begin(seated, "3", None, "staging", "override")
    with seated.registry._client.session() as mlflow:
        mlflow.set_registered_model_alias(seated.model, "staging", "3")
    [told] = seated.settle()
    assert told.endswith("it is completed.")
    assert seated.mlflow_states()["3"] == ("Staging", ("staging",))
    assert seated.registry.version(seated.model, "3").tags["assay.override"] == "why not"
    assert actions(seated)[-1] == ("promoted", "staging", None, "3")
    assert seated.settle() == []


def test_a_move_to_staging_that_was_all_but_told_is_completed(seated: Bench) -> None:
    seated.promote("3", to="staging")
    begin(seated, "3", "3", "staging")
    before = seated.registry.versions(seated.model)
    [told] = seated.settle()
    assert told.endswith("it is completed.")
    assert seated.registry.versions(seated.model) == before
