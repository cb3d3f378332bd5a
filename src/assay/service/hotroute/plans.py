"""What answers at each address, prepared when another version begins to answer."""

from dataclasses import dataclass

from assay.estimators import Cascade, Decision
from assay.service.limits import COMPRESSED_FROM
from assay.service.microbatching import at_hand
from assay.service.models import Models
from assay.service.responses import encoded
from assay.service.routes import TASK_PREFIX

PREDICT = "/predict"
WIDEST = -2.2250738585072014e-308
"""No number is written longer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A cascade and where it answers; ``route`` is the template of the path."""

    cascade: Cascade
    path: str
    route: str
    quick: Cascade | None
    """What is asked, at once: the cascade, or of one whose model is costly what its rules and its cache know;
    None where even that is not to be had."""


def plans_of(models: Models) -> dict[bytes, Plan]:
    """Return the plan of each address at which one text is decided now.

    Left out are tasks that do not answer, and cascades whose answers may be long enough to be compressed.
    """
    served = {name: each.cascade for name, each in models.served.items()}
    short = {name: each for name, each in served.items() if longest_answer(each) < COMPRESSED_FROM}
    plans = {}
    for name, cascade in short.items():
        path = TASK_PREFIX.replace("{task}", name) + PREDICT
        plans[path.encode()] = Plan(cascade, path, TASK_PREFIX + PREDICT, quick_of(cascade))
    if (default := models.default_task) in short:
        plans[PREDICT.encode()] = Plan(short[default], PREDICT, PREDICT, quick_of(short[default]))
    return plans


def quick_of(cascade: Cascade) -> Cascade | None:
    """Return what of a cascade may be asked on the event loop."""
    return at_hand(cascade) if cascade.model.costly else cascade


def longest_answer(cascade: Cascade) -> int:
    """Return how many bytes an answer of a cascade has at most."""
    rules = [rule.id for rule in cascade.rules.deciding]
    widest = Decision(
        task=cascade.task.name,
        label=max(cascade.labels, key=_width),
        confidence=WIDEST,
        score=WIDEST,
        threshold=WIDEST,
        decided_by="model",
        model=cascade.task.model,
        version=cascade.version,
        rule=max(rules, key=_width, default=None),
        scores=None if cascade.task.binary else dict.fromkeys(cascade.labels, WIDEST),
    )
    return len(encoded(widest.to_dict()))


def _width(text: str) -> int:
    return len(encoded(text))
