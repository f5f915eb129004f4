"""The OpenAPI document: what follows from how the service is built is told here once, for every operation."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from webhook_api.edge.rates import is_unlimited
from webhook_api.problems import Problem, responses

TAGS = {
    "health": "Whether the service lives, and whether it can work.",
    "configurations": "A tenant's connections to its accounts at POS vendors. Credentials are write-only.",
    "connect": "Connecting an account with the vendor's own login page (OAuth).",
    "syncs": "Reading from the vendor: asking for it, and how it went.",
    "transactions": "Sales, returns and exchanges as they are in the vendors' systems.",
    "audit": "Who did what to which configuration, when and from where.",
    "webhooks": "What the vendors send by themselves.",
}
_REPLACED = ("HTTPValidationError", "ValidationError")


def describe(application: FastAPI) -> dict[str, Any]:
    """The document of an application.

    Adds to each operation the failures that it has in common with others, and has every failure described
    as the problem it is answered with.
    """
    document = get_openapi(
        title=application.title,
        version=application.version,
        summary=application.summary,
        description=application.description,
        routes=application.routes,
        servers=[{"url": "/", "description": "This service"}],
    )
    used = set()
    for method, path, operation in _operations(document):
        operation["responses"] = dict(sorted(_with_common(method, path, operation).items()))
        used.update(operation.get("tags", []))
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _REPLACED:
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    document["tags"] = [{"name": name, "description": TAGS[name]} for name in TAGS if name in used]
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _with_common(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation's answers with those that its parts can give; what it says itself comes first."""
    common: set[int] = set()
    own = dict(operation["responses"])
    if "security" in operation:
        common |= {401, 403, 503}
    if "{tenant_id}" in path:
        common.add(404)
    if not is_unlimited(method, path):
        common.add(429)
    if operation.get("parameters") or "requestBody" in operation:
        common.add(422)
        if _is_of_fastapi(own.get("422", {})):
            del own["422"]
    if "requestBody" in operation:
        common |= {400, 413, 415}
    return {**{str(status): answer for status, answer in responses(*common).items()}, **own}


def _is_of_fastapi(answer: dict[str, Any]) -> bool:
    return any(f"/{name}" in str(answer) for name in _REPLACED)
