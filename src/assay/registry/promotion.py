"""Which version serves: the alias ``production`` is the truth, stages are kept in step with it."""

from datetime import UTC, datetime
from typing import Literal

from assay.exceptions import PromotionRefused
from assay.registry.client import Client
from assay.registry.resolve import PRODUCTION
from assay.registry.versions import Version, find, list_versions

Seat = Literal["production", "staging"]

STAGING, PREVIOUS = "staging", "previous"
PROMOTED = "assay.promoted_at"


def promote_version(client: Client, model: str, reference: str, *, to: Seat, override: str | None) -> Version:
    """Give a version the alias ``to`` and return it; what loses ``production`` becomes ``previous``.

    Production takes a gate that passed, and that compared with the version it replaces unless this one
    was in production before; ``override`` is a reason that stands in for it and is kept as a tag.
    Raises PromotionRefused, VersionNotFound.
    """
    with client.exclusive():
        version = find(client, model, reference)
        production = _holder(client, model, PRODUCTION)
        if to == PRODUCTION:
            if override is None:
                _check_gate(version, production)
            _take_production(client, version, production, override)
        else:
            _take_staging(client, version)
        align_stages(client, model)
    return find(client, model, version.number)


def align_stages(client: Client, model: str) -> list[Version]:
    """Bring every version's stage in step with the aliases and return those that were out of step."""
    strays = [each for each in list_versions(client, model) if each.stage != stage_of(each)]
    # Production is entered before it is left: models:/NAME/Production always finds a version.
    for version in sorted(strays, key=lambda each: stage_of(each) != "Production"):
        with client.session() as mlflow:
            mlflow.transition_model_version_stage(version.model, version.number, stage_of(version))
    return strays


def stage_of(version: Version) -> str:
    """Return the stage that a version's aliases mean; one that was promoted and replaced is Archived."""
    if PRODUCTION in version.aliases:
        return "Production"
    if STAGING in version.aliases:
        return "Staging"
    return "None" if version.stage == "None" else "Archived"


def _holder(client: Client, model: str, alias: str) -> Version | None:
    return next((each for each in list_versions(client, model) if alias in each.aliases), None)


def _check_gate(version: Version, production: Version | None) -> None:
    name = f"Version {version.number} of {version.model!r}"
    how = f"Gate it now: assay gate {version.task} {version.number}; or promote it with --override REASON."
    if version.gate != "passed":
        state = "was blocked by its gate" if version.gate == "blocked" else "has no gate decision"
        raise PromotionRefused(f"{name} {state}, so it may not be promoted. {how}", version=version)
    compared = version.tags.get("assay.gate.champion", "")
    current = production.number if production else ""
    # A version that once served was judged then: rolling back at night waits for no evaluation.
    if current not in ("", compared, version.number) and PROMOTED not in version.tags:
        against = f"version {compared}" if compared else "no version"
        raise PromotionRefused(
            f"{name} passed its gate against {against}, but version {current} is now in production. {how}",
            version=version,
        )


def _take_production(
    client: Client, version: Version, production: Version | None, override: str | None
) -> None:
    model, number = version.model, version.number
    with client.session() as mlflow:
        if override is not None:
            mlflow.set_model_version_tag(model, number, "assay.override", override)
        mlflow.set_model_version_tag(model, number, PROMOTED, datetime.now(UTC).isoformat(timespec="seconds"))
        mlflow.set_registered_model_alias(model, PRODUCTION, number)
        if production is not None and production.number != number:
            mlflow.set_registered_model_alias(model, PREVIOUS, production.number)
        for alias in {STAGING, PREVIOUS} & set(version.aliases):
            if alias == STAGING or (production is not None and production.number == number):
                mlflow.delete_registered_model_alias(model, alias)


def _take_staging(client: Client, version: Version) -> None:
    if PRODUCTION in version.aliases:
        raise PromotionRefused(
            f"Version {version.number} of {version.model!r} is in production; "
            "promote another version there first.",
            version=version,
        )
    with client.session() as mlflow:
        mlflow.set_registered_model_alias(version.model, STAGING, version.number)
