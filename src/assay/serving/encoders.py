"""How encoders run in one worker of a service, from its settings."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from assay.estimators import Runtime
from assay.service import Batching, DecisionCache, MetricsSink, Pace
from assay.settings import Settings

GPU = Path("/dev/nvidiactl")
"""Where the driver of a GPU is spoken to; what ONNX Runtime then uses is known once a network is loaded."""


@dataclass(frozen=True, kw_only=True)
class Encoders:
    """Where networks run, and what puts texts together for them."""

    runtime: Runtime = field(default_factory=Runtime)
    batching: Batching = field(default_factory=Batching)


def encoders_of(settings: Settings, metrics: MetricsSink, cache: DecisionCache | None) -> Encoders:
    """Return how encoders run where the settings leave it open: each worker has its share of the cores.

    A core that computes one text by itself gives more texts a second than two that compute one together; a
    GPU computes one batch at a time.
    """
    cores = max(1, len(os.sched_getaffinity(0)) // settings.workers)
    on_gpu = settings.encoder_device == "cuda" or (settings.encoder_device == "auto" and GPU.exists())
    sessions = settings.encoder_sessions or (1 if on_gpu else cores)
    runtime = Runtime(
        sessions=sessions,
        threads=settings.encoder_threads or max(1, cores // sessions),
        device=settings.encoder_device,
        # Several workers would choose the same cores.
        pin=settings.encoder_pin and settings.workers == 1,
        budget=settings.encoder_batch_tokens,
    )
    pace = Pace(
        sessions=sessions,
        wait_ms=settings.encoder_wait_ms,
        queue=settings.encoder_queue,
    )
    return Encoders(runtime=runtime, batching=Batching(pace=pace, told=metrics, cache=cache))
