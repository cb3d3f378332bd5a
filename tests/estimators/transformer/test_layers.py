"""The layer behind an encoder: its shape is checked before anything is built."""

import sys
from typing import Any

import numpy as np
import pytest

from assay.estimators.encoder import Runtime, Sessions
from assay.estimators.transformer.layers import add_layer
from assay.exceptions import MissingExtra
from tests.encoders import tiny_onnx

IDS = np.array([[2, 20, 40, 60, 3]])


def run(network: bytes) -> Any:
    """Return what a network makes of one text."""
    return Sessions(network, Runtime(threads=1)).run(IDS, np.ones_like(IDS))


def test_a_layer_multiplies_what_the_network_gave() -> None:
    random = np.random.default_rng(0)
    coef, intercept = random.normal(size=(2, 3)), random.normal(size=2)
    found = run(add_layer(tiny_onnx(3), coef, intercept))
    np.testing.assert_allclose(found, run(tiny_onnx(3)) @ coef.T + intercept, rtol=1e-4)


@pytest.mark.parametrize(("coef", "intercept"), [((2, 4), 2), ((2, 3), 3), ((3,), 1)])
def test_a_layer_of_another_shape_is_refused(coef: tuple[int, ...], intercept: int) -> None:
    with pytest.raises(ValueError, match=rf"coef must have the shape \({intercept}, 3\)"):
        add_layer(tiny_onnx(3), np.ones(coef), np.ones(intercept))


def test_without_its_library_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"Building a network needs the package 'onnx'"):
        add_layer(tiny_onnx(3), np.ones((1, 3)), np.ones(1))
