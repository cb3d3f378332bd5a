"""What has to be written so that seats are as they should be and stages follow them: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.registry.versions import PREVIOUS, PRODUCTION, STAGING, Model, Version


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Aliases by name (None: removed), stages by a version's number, tags by number and key."""

    aliases: Mapping[str, str | None] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.aliases or self.stages or self.tags)


def changes_to(model: Model, *, production: str | None, staging: str | None, previous: str | None) -> Changes:
    """Return what a model lacks of standing like this, by numbers: its aliases, and the stages they mean."""
    wanted = {PRODUCTION: production, STAGING: staging, PREVIOUS: previous}
    aliases = {alias: number for alias, number in wanted.items() if model.number(alias) != number}
    stages = {}
    for each in model.versions:
        stage = _stage(each, production, staging)
        if stage != each.stage:
            stages[each.number] = stage
    # Production is entered before it is left: models:/NAME/Production always finds a version.
    ordered = sorted(stages.items(), key=lambda item: item[1] != "Production")
    return Changes(aliases=aliases, stages=dict(ordered))


def _stage(version: Version, production: str | None, staging: str | None) -> str:
    if version.number == production:
        return "Production"
    if version.number == staging:
        return "Staging"
    return "None" if version.stage == "None" else "Archived"
