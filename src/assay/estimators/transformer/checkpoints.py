"""What a training goes on from after it was killed: weights, optimizer, random state and place."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.estimators.transformer.record import Epoch
from assay.exceptions import ConfigError

if TYPE_CHECKING:
    import torch

WEIGHTS, OPTIMIZER, RANDOM, STATE = "network", "optimizer", "random", "state.json"


@dataclass
class State:
    """Where a training stands: ``batch`` batches of epoch ``epoch`` (numbered from 1) are done.

    ``loss`` and ``rows`` sum up the epoch so far, ``recent`` the loss and the rows since the last entry of
    ``losses``; ``seconds`` is what the epoch took, interruptions left out; ``scaler`` is that of fp16.
    """

    epoch: int = 1
    batch: int = 0
    loss: float = 0.0
    rows: int = 0
    seconds: float = 0.0
    rows_at_once: int = 0
    recent: tuple[float, int] = (0.0, 0)
    scaler: dict[str, Any] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    losses: list[tuple[int, float]] = field(default_factory=list)
    finished: bool = False

    @property
    def best(self) -> int:
        """The number of the epoch with the best F1, the first of equal ones; 0 before the first."""
        return max(self.epochs, key=lambda epoch: epoch.f1).number if self.epochs else 0


@dataclass
class Training:
    """What changes while a network learns."""

    network: "torch.nn.Module"
    optimizer: "torch.optim.Optimizer"
    state: State


def identity_of(**parts: Any) -> dict[str, str]:
    """Return what makes a training the same one: each part as text that can be compared and shown."""
    return {name: json.dumps(value, sort_keys=True, default=str) for name, value in parts.items()}


def folder_of(work: Path, identity: Mapping[str, str]) -> Path:
    """Return the folder of a training under the folder of its task."""
    digest = hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode()).hexdigest()
    return work / digest[:16]


class Checkpoints:
    """The checkpoints of one training in a folder; the newest whole one counts.

    A checkpoint appears by one rename, and the one before goes only then: a kill at any moment leaves one.
    No file of it is a pickle.
    """

    def __init__(self, folder: Path, identity: Mapping[str, str]) -> None:
        self.folder, self.identity = folder, dict(identity)

    def save(self, training: Training) -> None:
        """Keep what a training is now. Raises OSError where the folder takes no more."""
        import torch
        from safetensors.torch import save_file

        number = 1 + max((self._number(path) for path in self._all()), default=0)
        draft, place = self.folder / ".draft", self.folder / f"checkpoint-{number:06d}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        try:
            weights = {
                name: value.detach().contiguous() for name, value in training.network.state_dict().items()
            }
            save_file(_apart(weights), draft / f"{WEIGHTS}.safetensors")
            save_file(_flat(training.optimizer), draft / f"{OPTIMIZER}.safetensors")
            save_file(_random_state(torch), draft / f"{RANDOM}.safetensors")
            content = {"identity": self.identity, "state": asdict(training.state)}
            (draft / STATE).write_text(json.dumps(content), encoding="utf-8")
            draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        for older in self._all():
            if older != place:
                shutil.rmtree(older, ignore_errors=True)

    def restore(self, training: Training) -> bool:
        """Put the newest checkpoint into a training; False where there is none.

        Raises ConfigError for one of another training, or one that is damaged.
        """
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        places = self._all()
        if not places:
            return False
        place = max(places, key=self._number)
        try:
            content = json.loads((place / STATE).read_bytes())
            self._check(place, content["identity"])
            training.network.load_state_dict(load_file(place / f"{WEIGHTS}.safetensors"), strict=False)
            _unflatten(training.optimizer, load_file(place / f"{OPTIMIZER}.safetensors"))
            _set_random_state(torch, load_file(place / f"{RANDOM}.safetensors"))
            training.state = state_of(content["state"])
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise ConfigError(
                f"The checkpoint {str(place)!r} is damaged ({error}). Delete the folder "
                f"{str(self.folder)!r}: the training begins anew then."
            ) from error
        return True

    def _check(self, place: Path, found: Mapping[str, str]) -> None:
        differing = sorted(
            name for name in {*found, *self.identity} if found.get(name) != self.identity.get(name)
        )
        if differing:
            name = differing[0]
            raise ConfigError(
                f"The checkpoint {str(place)!r} is of another training: {', '.join(differing)} differ "
                f"({name}: {found.get(name)!s:.80} there, {self.identity.get(name)!s:.80} here). Delete the "
                "folder, or train what it was made from."
            )

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob("checkpoint-*"))

    @staticmethod
    def _number(path: Path) -> int:
        return int(path.name.rpartition("-")[2])


def state_of(values: Mapping[str, Any]) -> State:
    """Return the state that its plain values describe."""
    epochs = [Epoch(**epoch) for epoch in values["epochs"]]
    losses = [(int(batch), float(loss)) for batch, loss in values["losses"]]
    loss, rows = values["recent"]
    return State(**{**values, "epochs": epochs, "losses": losses, "recent": (loss, rows)})


def _apart(tensors: Mapping[str, "torch.Tensor"]) -> dict[str, "torch.Tensor"]:
    """Return tensors without those that share another's memory, which the format refuses."""
    seen: dict[int, str] = {}
    return {
        name: tensor for name, tensor in tensors.items() if seen.setdefault(tensor.data_ptr(), name) == name
    }


def _flat(optimizer: "torch.optim.Optimizer") -> dict[str, "torch.Tensor"]:
    import torch

    state = optimizer.state_dict()["state"]
    return {
        f"{at}.{name}": torch.as_tensor(value) for at, each in state.items() for name, value in each.items()
    }


def _unflatten(optimizer: "torch.optim.Optimizer", tensors: Mapping[str, "torch.Tensor"]) -> None:
    described = optimizer.state_dict()
    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        at, _, name = key.partition(".")
        state.setdefault(int(at), {})[name] = tensor
    optimizer.load_state_dict({**described, "state": state})


def _random_state(torch: Any) -> dict[str, "torch.Tensor"]:
    states = {"cpu": torch.get_rng_state()}
    states |= {f"cuda.{at}": state for at, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def _set_random_state(torch: Any, states: Mapping[str, "torch.Tensor"]) -> None:
    torch.set_rng_state(states["cpu"])
    devices: Sequence[Any] = [states[name] for name in sorted(states) if name.startswith("cuda.")]
    if len(devices) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(devices)
