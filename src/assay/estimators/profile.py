"""What a version decided on rows that it was not trained on, frozen: the baseline of drift."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Protocol, Self

from pydantic import Field, ValidationError, model_validator

from assay.config import faults
from assay.estimators.manifest import PROFILE, Manifest, read_manifest
from assay.exceptions import ArtifactError
from assay.frozen import Frozen

FORMAT = 1

Statistic = Literal["label", "decided_by", "above", "near", "score", "confidence", "characters", "unknown"]
"""What is compared: the label given; which rule decided, or the model; with two labels the share of scores at
or above the operating point, that of scores near it, and the score itself, where the model decided; with
more the confidence instead; the text's length; the share of its words that the model does not know."""


class Observation(NamedTuple):
    """What drift looks at of one decision; ``telemetry.Record`` has the same fields."""

    label: str
    score: float | None
    confidence: float
    threshold: float | None
    rule: str | None
    characters: int
    unknown: float | None


class Observed(Protocol):
    """Anything with the fields of an ``Observation``."""

    @property
    def label(self) -> str: ...
    @property
    def score(self) -> float | None: ...
    @property
    def confidence(self) -> float: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def rule(self) -> str | None: ...
    @property
    def characters(self) -> int: ...
    @property
    def unknown(self) -> float | None: ...


class Reference(Frozen):
    """One statistic: how many reference rows fell into each bin.

    ``kind`` is ``categories`` (``labels`` names the bins) or ``numbers`` (``edges`` part them, ascending: bin
    i holds values x with edges[i-1] <= x < edges[i]). Rows without a value (a score where a rule decided) are
    in no bin.
    """

    name: Statistic
    kind: Literal["categories", "numbers"]
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[Annotated[int, Field(ge=0)], ...]
    band: tuple[float, float] | None = None
    """Of ``near``: the scores from and to which a decision is near the operating point, both included."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        bins = len(self.labels) if self.kind == "categories" else len(self.edges) + 1
        if len(self.counts) != bins or (self.edges if self.kind == "categories" else self.labels):
            raise ValueError(
                f"{self.name}: {bins} bins of {self.kind} need as many counts; got {self.counts}"
            )
        if any(after <= before for before, after in pairwise(self.edges)):
            raise ValueError(f"{self.name}: edges must rise; got {self.edges}")
        if (self.band is not None) != (self.name == "near"):
            raise ValueError(f"{self.name}: a band belongs to the statistic near, and to no other")
        return self

    @property
    def rows(self) -> int:
        """Reference rows that have a value."""
        return sum(self.counts)


class Profile(Frozen):
    """The statistics of one version on its held-out rows."""

    format: Literal[1] = 1
    task: str
    rows: int = Field(ge=0)
    statistics: tuple[Reference, ...]

    @model_validator(mode="after")
    def _counts_fit(self) -> Self:
        names = [each.name for each in self.statistics]
        if len(set(names)) != len(names):
            raise ValueError(f"each statistic stands once; got {names}")
        if strays := [each.name for each in self.statistics if each.rows > self.rows]:
            raise ValueError(f"{strays} count more rows than the profile has ({self.rows})")
        return self

    def to_json(self) -> str:
        """Return the text of profile.json."""
        return self.model_dump_json(indent=1, exclude_defaults=False) + "\n"


def read_profile(folder: Path) -> Profile | None:
    """Return the profile of an artifact folder; None where it has none.

    None have artifacts that were made before there were profiles, and models imported without rows. Raises
    ArtifactError when the folder is damaged or the profile is of a newer format.
    """
    return profile_in(folder, read_manifest(folder))


def profile_in(folder: Path, manifest: Manifest) -> Profile | None:
    """Return the profile of a folder whose hashes were verified; raises as ``read_profile``."""
    if PROFILE not in manifest.files:
        return None
    path = folder / PROFILE
    content = path.read_bytes()
    try:
        _check_format(path, json.loads(content))
        profile = Profile.model_validate_json(content)
    except ValidationError as error:
        raise ArtifactError(f"{path} is damaged:\n{faults(error)}", folder=folder) from error
    except ValueError as error:
        raise ArtifactError(f"{path} is damaged: it is no JSON ({error}).", folder=folder) from error
    if profile.task != manifest.task:
        raise ArtifactError(
            f"{path} is of the task {profile.task!r}, the artifact of {manifest.task!r}.", folder=folder
        )
    return profile


def _check_format(path: Path, found: Any) -> None:
    number = found.get("format") if isinstance(found, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise ArtifactError(
            f"{path} is a profile of format {number}; this version of Assay reads up to {FORMAT}. "
            "Serve the artifact with the version that made it, or a later one.",
            folder=path.parent,
            format=number,
        )
