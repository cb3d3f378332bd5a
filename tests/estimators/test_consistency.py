"""Parts of an artifact that do not belong together are refused, even where every hash fits."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from assay.estimators import load_artifact
from assay.exceptions import ArtifactError
from tests.estimators.made_up import Damage, edited, rehash, written


def reweighed(name: str, change: Callable[[Any], Any]) -> Damage:
    """Return the damage that changes an array."""

    def edit(folder: Path) -> None:
        path = folder / "model.safetensors"
        arrays = {key: np.array(array) for key, array in load_file(path).items()}
        save_file(arrays | {name: np.ascontiguousarray(change(arrays[name]))}, path)

    return edit


def pointed(threshold: bytes) -> Damage:
    return written("operating_point.json", b'{"threshold": %s, "goal": "fixed"}' % threshold)


BROKEN = {
    "weights not a number": (reweighed("0.coef", lambda a: a * np.nan), "'0.coef' hold a value that is"),
    "weights turned": (
        reweighed("0.coef", lambda a: a.T),
        r"shape \(3, 1\); it is float64 of shape \(1, 3\)",
    ),
    "weights in float32": (reweighed("intercept", lambda a: a.astype(np.float32)), "must be float64"),
    "weights in int8": (reweighed("intercept", lambda a: a.astype(np.int8)), "has the type 'I8'"),
    "other weights": (reweighed("0.coef", lambda a: a + 0.001), "line 1: the recorded decision"),
    "other scales": (reweighed("0.scale", lambda a: a + 0.001), "line 1: the recorded decision"),
    "hashes in disorder": (reweighed("0.hashes", lambda a: a[::-1]), "do not fit together"),
    "other keys": (reweighed("0.keys", lambda a: a + 1), "line 1: the recorded decision"),
    "a pickle for weights": (
        written("model.safetensors", pickle.dumps(pytest.fail)),
        "not a whole safetensors",
    ),
    "a pickle for a model": (written("model.json", pickle.dumps(pytest.fail)), "is not consistent"),
    "labels of others": (edited("model.json", '"ham"', '"eggs"'), "speak of different labels"),
    "labels swapped": (edited("task.toml", '"ham",\n    "spam"', '"spam",\n    "ham"'), "different labels"),
    "another link": (edited("model.json", "sigmoid", "softmax"), r"float64 of shape \(3, 2\)"),
    "an unknown link": (edited("model.json", "sigmoid", "probit"), "link: Input should be"),
    "an unknown analyzer": (edited("model.json", '"words"', '"eval"'), r"blocks\.0\.analyzer"),
    "no JSON": (written("model.json", b"{"), "is not consistent"),
    "a block without arrays": (
        edited("model.json", '"blocks": [', '"blocks": [{"analyzer": "char", "ngrams": [1, 1]},'),
        "lacks the array 'hashes'",
    ),
    "a threshold over 1": (pointed(b"1.5"), "threshold: Input should be less than or equal to 1"),
    "a threshold that is no number": (pointed(b"NaN"), "threshold"),
    "another threshold": (pointed(b"0.9999"), "line 1: the recorded decision is 'spam', now it is 'ham'"),
    "no threshold": (pointed(b"null"), "different labels"),
    "no TOML": (written("task.toml", b"= 1"), r"task\.toml is not TOML"),
    "an unknown key": (edited("task.toml", "[data]", "[data]\nrun = 1"), r"data\.run: is not a key"),
    "rules of elsewhere": (
        edited("task.toml", 'rules = ""', 'rules = "../rules.toml"'),
        r"task\.toml names the rules '.*rules\.toml'; the folder has none",
    ),
    "rules that are gone": (
        edited("task.toml", 'rules = ""', 'rules = "rules.toml"'),
        r"task\.toml names the rules '.*rules\.toml'; the folder has none",
    ),
    "another positive": (
        edited("task.toml", 'positive = "spam"', 'positive = "eggs"'),
        "positive must be one",
    ),
}


@pytest.mark.parametrize(("damage", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_parts_that_do_not_belong_together_are_refused(folder: Path, damage: Damage, message: str) -> None:
    damage(folder)
    rehash(folder)
    with pytest.raises(ArtifactError, match=message):
        load_artifact(folder)
