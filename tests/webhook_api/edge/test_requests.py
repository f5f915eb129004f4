"""Ids, headers and the log: each answer has them, and neither repeats a secret."""

import logging
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from tests.webhook_api.conftest import Bearer, serving
from tests.webhook_api.probes import CANARY, probed
from webhook_api.logs import WithRequestId, configuration, request_id


@pytest.fixture
def service(settings_of_service: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    with serving(probed()) as client:
        yield client


@pytest.fixture
def path(tenant_id: UUID) -> str:
    return f"/api/v1/tenants/{tenant_id}/pos/probe"


@pytest.mark.parametrize("given", ["12345678", "5f0c1c52-6f0e-4a3c-9a53-0d8f3f5d2b11", "trace.1_a-b"])
def test_a_request_id_that_is_well_formed_is_kept(service: httpx.Client, given: str) -> None:
    for where in ("/health/live", "/nothing", "/docs"):
        answer = service.get(where, headers={"X-Request-ID": given})
        assert answer.headers.get_list("X-Request-ID") == [given]


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with space", "a;b=12345", "-leading-dash", "é" * 8]
)
def test_any_other_is_replaced_by_a_new_one(service: httpx.Client, given: str) -> None:
    sent = [(b"X-Request-ID", given.encode())]
    made = {service.get("/health/live", headers=sent).headers["X-Request-ID"] for _ in range(2)}
    assert len(made) == 2
    assert {str(UUID(each)) for each in made} == made


def test_answers_are_not_sniffed_and_those_of_tenants_not_stored(
    service: httpx.Client, path: str, bearer: Bearer
) -> None:
    for answer in (service.get(path, headers=bearer()), service.get(path)):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Server" not in answer.headers
    live = service.get("/health/live")
    assert live.headers["X-Content-Type-Options"] == "nosniff"
    assert "Cache-Control" not in live.headers
    assert "Content-Security-Policy" not in service.get("/docs").headers


def test_the_access_log_has_one_line_without_query_and_secrets(
    service: httpx.Client, path: str, bearer: Bearer, tenant_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(WithRequestId())
    headers = {**bearer(), "X-Request-ID": "request-0001"}
    service.get(path, params={"code": CANARY}, headers=headers)
    service.get(f"/hooks/{'k' * 40}{CANARY}", headers=headers)
    service.get("/health/live", headers=headers)
    lines = [each for each in caplog.records if each.name == "webhook_api.access"]
    said = [each.getMessage() for each in lines]
    assert [each.split(" ")[:3] for each in said] == [["GET", path, "200"], ["GET", "/hooks/…", "404"]]
    assert said[0].endswith(f" from 127.0.0.1 tenant {tenant_id}")
    assert {vars(each)["request_id"] for each in lines} == {"request-0001"}
    written = " ".join(each.getMessage() for each in caplog.records if not each.name.startswith("http"))
    assert CANARY not in written
    assert headers["Authorization"].split()[1] not in written


def test_the_log_of_a_process_has_the_id_and_not_the_addresses_that_clients_ask_for() -> None:
    made = configuration()
    assert "%(request_id)s" in made["formatters"]["line"]["format"]
    assert made["loggers"]["httpx"]["level"] == "WARNING"
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "x", None, None)
    marker = request_id.set("request-0002")
    assert WithRequestId().filter(record)
    request_id.reset(marker)
    assert vars(record)["request_id"] == "request-0002"
