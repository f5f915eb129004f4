"""The OpenAPI document: every operation is described, with an example and every answer it can give."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from fastapi import FastAPI

from tests.webhook_api.probes import probed
from webhook_api.main import create_app
from webhook_api.openapi import TAGS
from webhook_api.problems import MEDIA_TYPE

APPLICATIONS = {"service": create_app, "with probes": probed}


@pytest.fixture(params=APPLICATIONS)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    made: FastAPI = APPLICATIONS[request.param]()
    return made.openapi()


def test_many_who_ask_at_once_get_the_one_document() -> None:
    application, together = create_app(), Barrier(8)

    def ask(_: int) -> int:
        together.wait()
        return id(application.openapi())

    with ThreadPoolExecutor(together.parties) as pool:
        assert len(set(pool.map(ask, range(together.parties)))) == 1


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", path, operation


def _expected(name: str, operation: dict[str, Any]) -> set[str]:
    """The failures that an operation can have by what it is."""
    expected = set()
    path = name.partition(" ")[2]
    if not name.startswith(("GET /health/", "POST /api/v1/webhooks/")):
        expected.add("429")
    if "security" in operation:
        expected |= {"401", "403", "503"}
    if "{tenant_id}" in path:
        expected.add("404")
    if operation.get("parameters") or "requestBody" in operation:
        expected.add("422")
    if "requestBody" in operation:
        expected |= {"400", "413", "415"}
    return expected


def test_every_operation_says_what_it_does_and_where_it_belongs(document: dict[str, Any]) -> None:
    wrong = [
        name
        for name, _, operation in _operations(document)
        if not (operation.get("summary") and operation.get("description") and operation.get("tags"))
    ]
    assert wrong == []
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    used = {tag for _, _, operation in _operations(document) for tag in operation["tags"]}
    assert used == set(described) <= set(TAGS)
    assert all(described.values())


def test_every_operation_documents_the_failures_it_can_have(document: dict[str, Any]) -> None:
    missing = {
        name: lacking
        for name, _, operation in _operations(document)
        if (lacking := _expected(name, operation) - operation["responses"].keys())
    }
    assert missing == {}


def test_every_failure_is_a_problem_or_described_by_its_operation(document: dict[str, Any]) -> None:
    problem = {"$ref": "#/components/schemas/Problem"}
    for name, _, operation in _operations(document):
        for status in _expected(name, operation):
            content = operation["responses"][status]["content"]
            assert "application/json" not in content, (name, status)
            if MEDIA_TYPE in content:
                assert content[MEDIA_TYPE]["schema"] == problem, (name, status)
    schemas = document["components"]["schemas"]
    assert "Problem" in schemas
    assert {"detail", "code", "request_id", "errors"} <= schemas["Problem"]["properties"].keys()
    assert not {"HTTPValidationError", "ValidationError"} & schemas.keys()
    assert "ValidationError" not in str(document)


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    without = [
        name
        for name, _, operation in _operations(document)
        if "requestBody" in operation
        for content in operation["requestBody"]["content"].values()
        if not _has_example(document, content)
    ]
    assert without == []


def _has_example(document: dict[str, Any], content: dict[str, Any]) -> bool:
    schema = content.get("schema", {})
    named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
    return any(key in each for each in (content, schema, named) for key in ("example", "examples"))


def test_who_may_call_is_in_the_document() -> None:
    document = probed().openapi()
    schemes = document["components"]["securitySchemes"]
    [(name, scheme)] = schemes.items()
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    open_to_all = ("GET /health/", "POST /api/v1/webhooks/", "GET /api/v1/connect/callback")
    for called, _, operation in _operations(document):
        assert ("security" in operation) != called.startswith(open_to_all)
        assert operation.get("security", [{name: []}]) == [{name: []}]


def test_the_document_says_what_the_service_is() -> None:
    made = create_app()
    document = made.openapi()
    assert document["info"].keys() >= {"title", "version", "summary", "description"}
    assert document["servers"]
    assert made.openapi() is document
