"""The service's description of itself, ``GET /openapi.json``."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from fastapi.routing import APIRoute

from assay.service.guard import ANY, scope_needed
from assay.service.models import Models
from assay.service.perspective import ANALYZE, Attributes

SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key of `assay keys`."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same key, as a bearer token."},
}
BESIDE = {
    "GET /docs": "Show every call with a form to try it.",
    "GET /openapi.json": "Describe every call to programs.",
}
"""Calls that do not describe themselves."""


def operation_id(route: APIRoute) -> str:
    """Return the name of a call, as generated clients write it: ``predict``, ``task_predict``."""
    scope = "version_" if "{version}" in route.path else "task_" if "{task}" in route.path else ""
    return route.name if route.name.startswith(scope) else scope + route.name


def endpoints(document: dict[str, Any]) -> dict[str, str]:
    """Return every call of a document with what it does."""
    told = {f"{method.upper()} {path}": each["description"] for method, path, each in operations(document)}
    return {**told, **BESIDE}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of every call of a document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


class Description:
    """Makes the document: the same for all, but for the names of tasks, which come and go."""

    def __init__(
        self,
        generate: Callable[[], dict[str, Any]],
        models: Models,
        attributes: Attributes,
        *,
        keys_asked: bool,
    ) -> None:
        self._generate, self._models, self._attributes = generate, models, attributes
        self._keys_asked = keys_asked

    def __call__(self) -> dict[str, Any]:
        """Return the document as of now."""
        document = deepcopy(self._generate())
        document.setdefault("components", {})["securitySchemes"] = SCHEMES
        tasks, served = list(self._models.served), self._attributes.served()
        for method, path, operation in operations(document):
            operation["security"] = self._security(scope_needed(method.upper(), path))
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "task" and tasks:
                    parameter["schema"]["enum"] = tasks
            if path == ANALYZE and served:
                body = operation["requestBody"]["content"]["application/json"]["schema"]
                asked = body["properties"]["requestedAttributes"]
                asked["propertyNames"] = {"enum": sorted(served)}
                asked["examples"] = [{name: {}} for name in sorted(served)]
        return document

    def _security(self, needed: str | None) -> list[dict[str, list[str]]]:
        """Return what a call asks for; an empty one among them says that it may come without a key."""
        if needed is None:
            return []
        scopes = [] if needed == ANY else [needed]
        optional: list[dict[str, list[str]]] = [] if self._keys_asked else [{}]
        return [*({name: scopes} for name in SCHEMES), *optional]
