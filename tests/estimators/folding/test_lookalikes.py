"""The tables of look-alikes are closed, so that folding a folded text changes nothing."""

import pytest

from assay.estimators.folding.lookalikes import LATIN, LEET, LOOKALIKES, SIGNS


@pytest.mark.parametrize("table", [LATIN, LOOKALIKES], ids=["latin", "lookalikes"])
def test_tables_hold_letters_in_both_cases(table: dict[str, str]) -> None:
    cases = {other for one in table for other in (one.lower(), one.upper(), one.casefold())}
    assert {one for one in cases if len(one) == 1 and not one.isascii()} <= set(table)
    assert all(to.isascii() and to.isalpha() and to.islower() for to in table.values())


def test_tables_are_apart_and_beyond_ascii() -> None:
    assert not set(LATIN) & set(LOOKALIKES)
    assert not set(SIGNS) & (set(LATIN) | set(LOOKALIKES))
    assert not any(character.isascii() for character in (*SIGNS, *LATIN, *LOOKALIKES))
    assert set("013457") <= set(LEET)
    assert not set("2689") & set(LEET)
