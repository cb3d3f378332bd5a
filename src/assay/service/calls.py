"""Routers that build the schemas of their calls only where somebody reads them.

A call checks its body itself and writes its answer as it is, so that a service that serves needs no schema
of either. To build them takes longer than all else about the routes.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from assay.service.limits import Limits
from assay.service.requests import body_schema


class Calls(APIRouter):
    """The calls of one kind.

    Parameters
    ----------
    described
        Whether OpenAPI is made of them; else they have no schemas.
    options
        Those of an ``APIRouter``.
    """

    def __init__(self, *, described: bool, **options: Any) -> None:
        super().__init__(**options)
        self._described = described

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a call; ``response_model`` is the name of what it answers, in ``schemas`` or ``comments``."""
        options["response_model"] = self._model(options.get("response_model"))
        super().add_api_route(path, endpoint, **options)

    def taking(self, body: str, limits: Limits) -> dict[str, Any] | None:
        """Return what OpenAPI shows of a body, by its name in ``requests`` or ``comments``."""
        return body_schema(_named(body), limits) if self._described else None

    def _model(self, name: Any) -> Any:
        return _named(name) if self._described and isinstance(name, str) else None


def _named(name: str) -> Any:
    from assay.service import comments, requests, schemas

    [found] = [vars(home)[name] for home in (requests, schemas, comments) if name in vars(home)]
    return found
