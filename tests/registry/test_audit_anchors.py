"""What versions tell of the audit log, and what a damaged log leaves possible."""

import pytest

from assay.exceptions import DatabaseError
from assay.settings import Settings
from tests.audit.entries import past_the_triggers
from tests.registry.conftest import Bench


def test_a_damaged_log_keeps_nobody_from_a_rollback(bench: Bench) -> None:
    for champion in (None, "1"):
        bench.register(champion=champion)
    bench.promote("1")
    bench.promote("2")
    people = Settings(home=bench.home).people
    past_the_triggers(people, "UPDATE audit SET evidence = '{' WHERE number = 2")
    assert bench.settle() == [
        "Entry 2 of the audit log was changed past Assay and cannot be read. "
        "See what else was: assay audit verify"
    ]
    assert bench.rollback().number == "1"
    with pytest.raises(DatabaseError, match="Entry 2"):
        bench.registry.history(bench.model)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_log_without_its_last_entries_is_told_from_a_whole_one(bench: Bench, cut: int) -> None:
    for champion in (None, "1"):
        bench.register(champion=champion)
    bench.promote("1")
    bench.promote("2")
    assert bench.faults() == []
    past_the_triggers(Settings(home=bench.home).people, f"DELETE FROM audit WHERE number > {4 - cut}")
    [fault, *_] = bench.faults()
    assert f"{bench.model} version" in fault
    bench.settle()
    assert bench.faults() != []
