import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assay.estimators.encoder import Runtime, Sessions
from assay.exceptions import ArtifactError, ConfigError, MissingExtra
from tests.encoders import tiny_encoder, tiny_onnx

CORES = sorted(os.sched_getaffinity(0))
IDS = np.full((1, 4), 7, np.int64)


def test_threads_are_the_cores_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3, 6, 7})
    assert Runtime().cores() == (4, [[]])
    assert Runtime(sessions=2, pin=False).cores() == (2, [[], []])
    assert Runtime(sessions=8).cores() == (1, [[]] * 8)
    assert Runtime(threads=3).cores() == (3, [[]])


def test_pinned_sessions_share_out_all_cores_or_are_not_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3, 6, 7})
    assert Runtime(sessions=2, pin=True).cores() == (2, [[2, 3], [6, 7]])
    assert Runtime(sessions=4, pin=True).cores() == (1, [[2], [3], [6], [7]])
    assert Runtime(sessions=3, pin=True).cores() == (1, [[], [], []])
    assert Runtime(sessions=1, pin=True).cores() == (4, [[]])


@pytest.mark.parametrize(
    ("settings", "fault"),
    [({"sessions": 0}, "sessions"), ({"threads": -1}, "threads"), ({"budget": -1}, "budget")],
)
def test_a_runtime_of_nothing_is_refused(settings: dict[str, int], fault: str) -> None:
    with pytest.raises(ValueError, match=f"{fault} must be at least"):
        Runtime(**settings)


@pytest.mark.parametrize(
    "runtime",
    [
        Runtime(sessions=1, threads=2),
        Runtime(sessions=3, threads=1),
        Runtime(sessions=len(CORES), threads=1, pin=True),
    ],
)
def test_many_threads_get_the_answers_of_one(runtime: Runtime) -> None:
    texts = [f"free prize {number} call now" for number in range(24)]
    expected = tiny_encoder().logits(texts)
    encoder = tiny_encoder(runtime=runtime)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(encoder.logits_of, texts))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert sorted(os.sched_getaffinity(0)) == CORES


def test_no_more_run_at_once_than_there_are_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(tiny_onnx(), Runtime(sessions=2, threads=1))
    seat, running, lock, most = sessions._free.get(), [0], threading.Lock(), [0]

    class Watched:
        def run(self, *given: Any) -> Any:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            try:
                return seat.session.run(*given)
            finally:
                with lock:
                    running[0] -= 1

    other = sessions._free.get()
    for each in (seat, other):
        sessions._free.put(each._replace(session=Watched()))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sessions.run(IDS, np.ones_like(IDS)), range(200)))
    assert most[0] <= 2


def test_sessions_of_one_thread_share_the_weights() -> None:
    sessions = Sessions(tiny_onnx(), Runtime(sessions=2, threads=1))
    assert sessions._free.get().session is sessions._free.get().session
    apart = Sessions(tiny_onnx(), Runtime(sessions=2, threads=2))
    assert apart._free.get().session is not apart._free.get().session


def test_a_session_is_free_again_after_a_failure() -> None:
    sessions = Sessions(tiny_onnx(), Runtime(sessions=1, threads=1))
    for _ in range(2):
        with pytest.raises(Exception, match="indices element out of data bounds"):
            sessions.run(IDS + 10_000, np.ones_like(IDS))
    assert sessions.run(IDS, np.ones_like(IDS)).shape == (1, 1)


def test_pinned_threads_of_a_session_keep_to_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    seen = []

    def opened(network: bytes, options: Any, **settings: Any) -> Any:
        seen.append(options.get_session_config_entry("session.intra_op_thread_affinities"))
        seen.append(options.get_session_config_entry("session.intra_op.allow_spinning"))
        return SimpleNamespace(get_providers=lambda: settings["providers"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4, 5})
    Sessions(b"", Runtime(sessions=2, pin=True))
    Sessions(b"", Runtime(sessions=2, pin=True, spin=True))
    assert seen == ["2;3", "0", "5;6", "0", "2;3", "1", "5;6", "1"]


BOTH = ["CUDAExecutionProvider", "CPUExecutionProvider"]


def test_cuda_is_used_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    asked: list[list[str]] = []

    def opened(network: bytes, options: Any, *, providers: list[str], enable_fallback: bool) -> Any:
        asked.append(providers)
        return SimpleNamespace(get_providers=lambda: providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", opened)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: BOTH)
    found = [Sessions(b"", Runtime(threads=1, device=device)) for device in ("auto", "cuda", "cpu")]
    assert [sessions.budget for sessions in found] == [16_384, 16_384, 256]
    assert asked == [BOTH, BOTH, BOTH[1:]]


def test_cuda_that_does_not_start_is_named_where_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    on_cpu = SimpleNamespace(get_providers=lambda: BOTH[1:])
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: on_cpu)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: BOTH)
    assert Sessions(b"", Runtime(threads=1)).budget == 256
    with pytest.raises(ConfigError, match="'cuda' was asked for, and ONNX Runtime could not start it"):
        Sessions(b"", Runtime(threads=1, device="cuda"))


def test_cuda_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ConfigError, match=r"'cuda' was asked for, .* Install onnxruntime-gpu"):
        Sessions(tiny_onnx(), Runtime(device="cuda"))


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"does not take model\.onnx"):
        Sessions(b"no network", Runtime(threads=1))


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"'{package}'.*pip install 'assay\[onnx\]'"):
        tiny_encoder()
