"""Which version serves: found without MLflow in the process, the same on every kind of store."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from assay.exceptions import RegistryError, VersionNotFound
from assay.registry import rest, sql
from assay.registry.store import Store, parse_store

PRODUCTION = "production"


@dataclass(frozen=True)
class Found:
    """A registered version: enough to fetch it and to say what it is.

    ``source`` is the URI of its artifact folder, ``digest`` the identity of what decides and
    ``manifest`` the SHA-256 of its manifest.json.
    """

    task: str
    model: str
    version: str
    source: str
    digest: str
    stage: str
    manifest: str
    aliases: tuple[str, ...]


def find_production(uri: str) -> list[Found]:
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


def find_version(uri: str, model: str, reference: str) -> Found:
    """Return one version of a model by number (``"3"``), alias or stage (``"production"``), or ``"latest"``.

    Raises VersionNotFound listing what exists, RegistryUnavailable, RegistryError.
    """
    store = parse_store(uri)
    found = _versions(store, model)
    chosen = pick(reference, [(each.version, each.aliases) for each in found])
    if chosen is None:
        listed = [describe(each.version, each.aliases) for each in found]
        raise not_found(model, reference, listed, [] if found else _models(store))
    match = next(each for each in found if each.version == chosen)
    if not match.task:
        raise RegistryError(
            f"Version {chosen} of {model!r} was not registered by Assay: it has no tag 'assay.task'."
        )
    return match


def pick(reference: str, versions: Iterable[tuple[str, tuple[str, ...]]]) -> str | None:
    """Return the number that a reference means among ``(number, aliases)``, or None."""
    listed = list(versions)
    reference = reference.lower()
    if reference == "latest":
        return max((number for number, _ in listed), key=int, default=None)
    return next((number for number, aliases in listed if reference == number or reference in aliases), None)


def describe(number: str, aliases: tuple[str, ...]) -> str:
    """Return a version for a list of choices: ``3 (production)``."""
    return f"{number} ({', '.join(aliases)})" if aliases else number


def not_found(model: str, reference: str, versions: list[str], models: list[str]) -> VersionNotFound:
    """Return the error for a model or version that does not exist, listing those that do."""
    if versions:
        text = f"{model!r} has no version {reference!r}. It has {', '.join(versions)}."
    else:
        text = (
            f"The registry has no model {model!r} with a version. "
            f"It has {', '.join(models) or 'no models'}. Train one with: assay train NAME"
        )
    return VersionNotFound(text, model=model, reference=reference, versions=versions, models=models)


def _versions(store: Store, model: str) -> list[Found]:
    if store.kind != "http":
        return _fold(sql.query(store, sql.OF_MODEL, model))
    with rest.connect(store) as server:
        try:
            answer = server.get("registered-models/get", name=model)["registered_model"]
        except VersionNotFound:
            return []
        quote = '"' if "'" in model else "'"
        listed = server.pages("model-versions/search", "model_versions", filter=f"name={quote}{model}{quote}")
        return sorted(
            (_from_rest(version, answer.get("aliases", [])) for version in listed),
            key=lambda each: int(each.version),
        )


def _models(store: Store) -> list[str]:
    if store.kind != "http":
        return [str(row[0]) for row in sql.query(store, sql.MODELS)]
    with rest.connect(store) as server:
        return sorted(
            str(model["name"]) for model in server.pages("registered-models/search", "registered_models")
        )


def _production_by_rest(server: rest.Server) -> list[Found]:
    found = []
    for model in server.pages("registered-models/search", "registered_models"):
        aliases = model.get("aliases", [])
        for alias in aliases:
            if alias["alias"] == PRODUCTION:
                answer = server.get("model-versions/get", name=model["name"], version=alias["version"])
                found.append(_from_rest(answer["model_version"], aliases))
    return found


def _from_rest(version: dict[str, Any], aliases: list[dict[str, Any]]) -> Found:
    number = str(version["version"])
    return _found(
        model=version["name"],
        version=number,
        stage=version["current_stage"],
        source=version["source"],
        tags={tag["key"]: tag.get("value", "") for tag in version.get("tags", [])},
        aliases={each["alias"] for each in aliases if str(each["version"]) == number},
    )


def _fold(rows: Iterable[sql.Row]) -> list[Found]:
    """Return one entry for each version from rows of version x alias x tag."""
    entries: dict[tuple[str, int], tuple[sql.Row, dict[str, str], set[str]]] = {}
    for row in rows:
        _, tags, aliases = entries.setdefault((row[0], row[1]), (row, {}, set()))
        if row[4] is not None:
            aliases.add(row[4])
        if row[5] is not None:
            tags[row[5]] = row[6]
    return [
        _found(model=row[0], version=str(row[1]), stage=row[2], source=row[3], tags=tags, aliases=aliases)
        for row, tags, aliases in entries.values()
    ]


def _found(
    *, model: str, version: str, stage: str, source: str, tags: dict[str, str], aliases: set[str]
) -> Found:
    return Found(
        task=tags.get("assay.task", ""),
        model=model,
        version=version,
        source=source,
        digest=tags.get("assay.digest", ""),
        stage=stage,
        manifest=tags.get("assay.manifest", ""),
        aliases=tuple(sorted(aliases)),
    )
