"""How long the matrix products of a network take by themselves, which no change of the rest makes shorter."""

import json
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PRODUCTS = ("FusedMatMul", "MatMul", "MatMulInteger")


def products(network: bytes, ids: Any, mask: Any, *, threads: int, runs: int) -> float:
    """Return the milliseconds on the clock that one run spends in matrix products.

    Each product counts with the median of its runs, as ONNX Runtime's profile tells them.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_profiling = True
    with TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        for _ in range(runs):
            session.run(None, {"input_ids": ids, "attention_mask": mask})
        events = json.loads(Path(session.end_profiling()).read_text())
    taken: dict[str, list[float]] = {}
    for event in events:
        if event["args"].get("op_name") in PRODUCTS and event["name"].endswith("_kernel_time"):
            taken.setdefault(event["name"], []).append(event["dur"])
    return sum(map(statistics.median, taken.values())) / 1e3
