"""An artifact that does not decide its golden texts as recorded is refused, even where every hash fits."""

from pathlib import Path

import pytest

from assay.estimators import load_artifact
from assay.exceptions import ArtifactError
from tests.estimators.made_up import Damage, edited, rehash, written

NAME = "golden.jsonl"
ONE_PROBABILITY = b'{"text": "free", "label": "spam", "probabilities": [1]}'
RAGGED = ONE_PROBABILITY + b'\n{"text": "free", "label": "spam", "probabilities": [0, 1]}'
BROKEN = {
    "another label": (
        edited(NAME, '"spam"', '"ham"'),
        "line 1: the recorded decision is 'ham', now it is 'spam'",
    ),
    "another probability": (
        edited(NAME, "0.0", "0.1"),
        r"line 1: .* its probability 0\.1 away \(at most 1e-06\)",
    ),
    "a last line changed": (edited(NAME, "0.5, 0.5", "0.51, 0.49"), r"line 3: .*0\.01 away"),
    "not a number": (edited(NAME, "0.5, 0.5", "0.5, NaN"), "line 3: .*nan away"),
    "another text": (edited(NAME, "free prize", "lunch"), "line 1: the recorded decision is 'spam', now"),
    "an empty text": (edited(NAME, "free prize", " "), "Text 0 is empty"),
    "a lone surrogate": (edited(NAME, "free prize", "\\ud800"), "lone surrogate"),
    "no label": (edited(NAME, "label", "labal"), "KeyError"),
    "one probability": (written(NAME, ONE_PROBABILITY), "must hold 2 probabilities a line"),
    "ragged probabilities": (written(NAME, RAGGED), "cannot be read: ValueError"),
    "numbers": (written(NAME, b"1\n2\n"), "cannot be read: TypeError"),
    "lines too deep": (written(NAME, b"[" * 100_000), "cannot be read: RecursionError"),
    "not UTF-8": (written(NAME, b"\xff"), "cannot be read: UnicodeDecodeError"),
    "nothing": (written(NAME, b"\n\n"), "holds no golden text"),
}


@pytest.mark.parametrize(("damage", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_golden_lines_that_do_not_hold_are_refused(folder: Path, damage: Damage, message: str) -> None:
    damage(folder)
    rehash(folder)
    with pytest.raises(ArtifactError, match=message) as caught:
        load_artifact(folder)
    assert caught.value.data["file"] == NAME


def test_a_probability_within_the_tolerance_holds(folder: Path) -> None:
    edited(NAME, "0.5, 0.5", "0.5000009, 0.4999991")(folder)
    rehash(folder)
    assert load_artifact(folder).predict(["zzz"]) == ["spam"]
