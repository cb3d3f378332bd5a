"""Registered versions and the models that they are of: read without MLflow, the same from every store."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from assay.exceptions import RegistryError, VersionNotFound
from assay.registry import rest, sql
from assay.registry.store import Store, parse_store

PRODUCTION: Final = "production"
STAGING: Final = "staging"
PREVIOUS: Final = "previous"


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered artifact.

    ``source`` is the URI of its folder, ``digest`` the identity of what decides and ``manifest`` the SHA-256
    of its manifest.json. ``gate`` is ``"passed"``, ``"blocked"`` or ``"none"``; ``tags`` are all that MLflow
    keeps with it.
    """

    model: str
    number: str
    task: str
    stage: str
    aliases: tuple[str, ...]
    run_id: str
    source: str
    digest: str
    manifest: str
    created_at: datetime
    gate: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Model:
    """A registered model: its versions, oldest first, and its own tags; both empty where there is none."""

    name: str
    versions: tuple[Version, ...]
    tags: Mapping[str, str]

    def holder(self, alias: str) -> Version | None:
        """Return the version that has an alias, or None."""
        return next((each for each in self.versions if alias in each.aliases), None)

    def number(self, alias: str) -> str | None:
        """Return the number of the version that has an alias, or None."""
        holder = self.holder(alias)
        return holder.number if holder else None

    def version(self, number: str) -> Version | None:
        """Return the version of a number, or None."""
        return next((each for each in self.versions if each.number == number), None)


def find_production(uri: str) -> list[Version]:
    """Return the production version of every model that Assay registered, ordered by model.

    A model is in production by its alias ``production``; models of other tools are left out.
    Raises RegistryUnavailable, RegistryError.
    """
    store = parse_store(uri)
    if store.kind == "http":
        with rest.connect(store) as server:
            found = _production_by_rest(server)
    else:
        found = _fold(sql.query(store, sql.IN_PRODUCTION, PRODUCTION))
    return sorted((each for each in found if each.task), key=lambda each: each.model)


def find_version(uri: str, model: str, reference: str) -> Version:
    """Return one version of a model by number (``"3"``), alias or stage (``"production"``), or ``"latest"``.

    Raises VersionNotFound listing what exists, RegistryUnavailable, RegistryError.
    """
    store = parse_store(uri)
    return pick(store, read_model(store, model), reference)


def pick(store: Store, model: Model, reference: str) -> Version:
    """Return the version of a model that a reference means; raises as ``find_version`` does."""
    wanted = reference.lower()
    if wanted == "latest":
        chosen = model.versions[-1] if model.versions else None
    else:
        chosen = model.version(wanted) or model.holder(wanted)
    if chosen is None:
        raise _not_found(store, model, reference)
    if not chosen.task:
        raise RegistryError(
            f"Version {chosen.number} of {model.name!r} was not registered by Assay: "
            "it has no tag 'assay.task'."
        )
    return chosen


def named(number: str | None) -> str:
    """Return who sits on a seat, in words."""
    return f"version {number}" if number else "empty"


def describe(version: Version) -> str:
    """Return a version for a list of choices: ``3 (production)``."""
    return f"{version.number} ({', '.join(version.aliases)})" if version.aliases else version.number


def read_model(store: Store, name: str) -> Model:
    """Return a registered model as it is now; raises RegistryUnavailable, RegistryError."""
    if store.kind != "http":
        with sql.reading(store) as session:
            tags = {str(key): str(value or "") for key, value in session.run(sql.MODEL_TAGS, name)}
            return Model(name=name, versions=_in_order(_fold(session.run(sql.OF_MODEL, name))), tags=tags)
    with rest.connect(store) as server:
        try:
            answer = server.get("registered-models/get", name=name)["registered_model"]
        except VersionNotFound:
            return Model(name=name, versions=(), tags={})
        quote = '"' if "'" in name else "'"
        listed = server.pages("model-versions/search", "model_versions", filter=f"name={quote}{name}{quote}")
        found = [_from_rest(version, answer.get("aliases", [])) for version in listed]
        return Model(name=name, versions=_in_order(found), tags=_tags(answer))


def read_versions(session: sql.Session) -> tuple[Version, ...]:
    """Return the versions of every model in an open database, by model and number."""
    return tuple(_fold(session.run(sql.OF_ALL)))


def tagged(store: Store, key: str) -> dict[tuple[str, str], str]:
    """Return the value of a tag for every version that has it, by model and number."""
    if store.kind != "http":
        return {(str(row[0]), str(row[1])): str(row[2]) for row in sql.query(store, sql.TAGGED, key)}
    with rest.connect(store) as server:
        listed = [
            (each["name"], str(each["version"]), _tags(each).get(key))
            for each in server.pages("model-versions/search", "model_versions")
        ]
    return {(model, number): value for model, number, value in listed if value is not None}


def _not_found(store: Store, model: Model, reference: str) -> VersionNotFound:
    models = [] if model.versions else _models(store)
    versions = [describe(each) for each in model.versions]
    if versions:
        text = f"{model.name!r} has no version {reference!r}. It has {', '.join(versions)}."
    else:
        text = (
            f"The registry has no model {model.name!r} with a version. "
            f"It has {', '.join(models) or 'no models'}. Train one with: assay train NAME"
        )
    return VersionNotFound(text, model=model.name, reference=reference, versions=versions, models=models)


def _models(store: Store) -> list[str]:
    if store.kind != "http":
        return [str(row[0]) for row in sql.query(store, sql.MODELS)]
    with rest.connect(store) as server:
        return sorted(
            str(model["name"]) for model in server.pages("registered-models/search", "registered_models")
        )


def _production_by_rest(server: rest.Server) -> list[Version]:
    found = []
    for model in server.pages("registered-models/search", "registered_models"):
        aliases = model.get("aliases", [])
        for alias in aliases:
            if alias["alias"] == PRODUCTION:
                answer = server.get("model-versions/get", name=model["name"], version=alias["version"])
                found.append(_from_rest(answer["model_version"], aliases))
    return found


def _from_rest(version: dict[str, Any], aliases: list[dict[str, Any]]) -> Version:
    number = str(version["version"])
    return _version(
        model=version["name"],
        number=number,
        stage=version["current_stage"],
        source=version["source"],
        run_id=version.get("run_id", ""),
        created=int(version["creation_timestamp"]),
        tags=_tags(version),
        aliases={each["alias"] for each in aliases if str(each["version"]) == number},
    )


def _tags(answer: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in answer.get("tags", [])}


def _fold(rows: Iterable[sql.Row]) -> list[Version]:
    """Return one entry for each version from rows of version x alias x tag."""
    entries: dict[tuple[str, int], tuple[sql.Row, dict[str, str], set[str]]] = {}
    for row in rows:
        _, tags, aliases = entries.setdefault((row[0], row[1]), (row, {}, set()))
        if row[6] is not None:
            aliases.add(row[6])
        if row[7] is not None:
            tags[row[7]] = row[8] or ""
    return [
        _version(
            model=row[0],
            number=str(row[1]),
            stage=row[2],
            source=row[3],
            run_id=row[4],
            created=row[5],
            tags=tags,
            aliases=aliases,
        )
        for row, tags, aliases in entries.values()
    ]


def _version(
    *,
    model: str,
    number: str,
    stage: str,
    source: str,
    run_id: str,
    created: int,
    tags: dict[str, str],
    aliases: set[str],
) -> Version:
    return Version(
        model=model,
        number=number,
        task=tags.get("assay.task", ""),
        stage=stage,
        aliases=tuple(sorted(aliases)),
        run_id=run_id,
        source=source,
        digest=tags.get("assay.digest", ""),
        manifest=tags.get("assay.manifest", ""),
        created_at=datetime.fromtimestamp(created / 1000, UTC),
        gate=tags.get("assay.gate", "none"),
        tags=tags,
    )


def _in_order(versions: Iterable[Version]) -> tuple[Version, ...]:
    return tuple(sorted(versions, key=lambda each: int(each.number)))
