"""What the service's description of itself says about keys."""

from typing import Any

from fastapi import FastAPI

from assay.service.guard import ANY, scope_needed

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key: Authorization: Bearer KEY."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key."},
}


def describe_keys(app: FastAPI) -> None:
    """Let an application's OpenAPI document name the calls that need a key, and the scope of each."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        schema = describe()
        schema.setdefault("components", {})["securitySchemes"] = SCHEMES
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                if needed := scope_needed(method.upper(), path):
                    scopes = [] if needed == ANY else [needed]
                    operation["security"] = [{name: scopes} for name in SCHEMES]
        return schema

    app.openapi = openapi  # type: ignore[method-assign]
