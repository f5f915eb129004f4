"""Failures over HTTP: each is a problem with the request's id, and none repeats what was sent."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pos_core.database.embedded import EmbeddedServer
from tests.conftest import Project
from tests.webhook_api.conftest import Bearer, serving
from tests.webhook_api.probes import CANARY, probed
from webhook_api.problems import MEDIA_TYPE, Problem


@pytest.fixture
def service(project: Project) -> Iterator[httpx.Client]:
    with serving(probed()) as client:
        yield client


@pytest.fixture
def path(tenant_id: UUID) -> str:
    return f"/api/v1/tenants/{tenant_id}/pos/probe"


def _problem(answer: httpx.Response, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    found = Problem.model_validate_json(answer.content)
    assert (found.status, found.request_id) == (status, answer.headers["X-Request-ID"])
    assert found.title
    assert found.detail
    return found


@pytest.mark.parametrize(
    "unknown", ["/", "/nothing", "/health/live/", "/static-offline-docs/none.js", "/api/v1/%00", "/%ff"]
)
def test_an_unknown_path_is_a_problem(service: httpx.Client, unknown: str) -> None:
    assert _problem(service.get(unknown), 404).code == "not_found"


def test_a_method_that_is_not_there_says_which_are(service: httpx.Client, path: str) -> None:
    answer = service.post("/health/live")
    assert _problem(answer, 405).code == "method_not_allowed"
    assert answer.headers["Allow"] == "GET"
    for method in ("PUT", "OPTIONS", "TRACE", "HEAD"):
        answer = service.request(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, POST")
    assert service.post("/docs").headers["Allow"]


def test_a_request_for_the_head_alone_has_no_body(service: httpx.Client) -> None:
    answer = service.head("/nothing")
    assert (answer.status_code, answer.content) == (404, b"")
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"null", b"[]", b'"x"', b'{"name": NaN}', b'{"name": "\xff"}', b"[" * 100_000, b"\x00"],
)
def test_a_body_that_is_no_good_json_is_refused(
    service: httpx.Client, path: str, bearer: Bearer, content: bytes
) -> None:
    headers = {**bearer(), "Content-Type": "application/json"}
    answer = service.post(path, content=content, headers=headers)
    _problem(answer, answer.status_code)
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
def test_a_body_of_another_type_is_refused_as_that(
    service: httpx.Client, path: str, bearer: Bearer, content_type: str
) -> None:
    headers = {**bearer(), "Content-Type": content_type}
    answer = service.post(path, content=b'{"name": "Rye"}', headers=headers)
    assert _problem(answer, 415).code == "unsupported_media_type"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/vnd.loaf+json"])
def test_a_body_of_json_by_another_name_is_taken(
    service: httpx.Client, path: str, bearer: Bearer, content_type: str
) -> None:
    headers = {**bearer(), "Content-Type": content_type}
    assert service.post(path, content=b'{"name": "Rye"}', headers=headers).json() == {"length": 3}


BAD_BODIES: list[Any] = [
    {"name": CANARY},
    {"name": "x" * 30 + CANARY},
    {"name": "Rye", "kind": CANARY},
    {"name": "Rye", "shop": CANARY},
    {"name": "Rye", CANARY: 1},
    {"name": "Rye", "secrets": {CANARY: "x"}},
    {"name": "Rye", "secrets": {"x": CANARY}},
    {"name": "Rye", "secrets": {"\ud800": CANARY}},
    {"name": "Rye", "shop": "\ud800" + CANARY},
    {"name": "\ud800" + CANARY},
    {"name": [CANARY] * 1000},
    [CANARY],
    CANARY,
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_what_was_sent_is_never_repeated(service: httpx.Client, path: str, bearer: Bearer, body: Any) -> None:
    headers = {**bearer(), "Content-Type": "application/json"}
    answer = service.post(path, content=json.dumps(body), headers=headers)
    found = _problem(answer, 422)
    assert found.errors
    assert "flour" not in answer.text
    assert "ud800" not in answer.text


def test_a_field_that_is_wrong_is_named(service: httpx.Client, path: str, bearer: Bearer) -> None:
    answer = service.post(path, json={"name": "Rye", "kind": "oat"}, headers=bearer())
    assert _problem(answer, 422).errors == [
        {"where": ["body", "kind"], "what": "Input should be 'rye' or 'wheat'"}
    ]
    many = service.post(
        path, json={"name": "Rye", "secrets": dict.fromkeys(map(str, range(99)), "x")}, headers=bearer()
    )
    assert len(_problem(many, 422).errors or []) == 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "kind", "shop", "secrets"]) | st.text(max_size=8), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON)
def test_no_body_makes_the_service_fail(service: httpx.Client, path: str, bearer: Bearer, body: Any) -> None:
    headers = {**bearer(), "Content-Type": "application/json"}
    answer = service.post(path, content=json.dumps(body), headers=headers)
    assert answer.status_code in {200, 422}


def test_a_vendor_that_fails_is_a_bad_gateway(service: httpx.Client, path: str, bearer: Bearer) -> None:
    assert _problem(service.get(f"{path}/vendor", headers=bearer()), 502).code == "unreachable"


@pytest.mark.parametrize("name", ["broken", "broken-database"])
def test_what_nobody_foresaw_is_a_problem_and_is_logged_without_values(
    service: httpx.Client, path: str, bearer: Bearer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = service.get(f"{path}/{name}", headers=bearer())
    assert _problem(answer, 500).code == "internal"
    assert CANARY not in answer.text + caplog.text
    [logged] = [each.getMessage() for each in caplog.records if each.levelname == "ERROR"]
    assert "probes.py" in logged
    assert ("builtins.RuntimeError" if name == "broken" else "(SQLSTATE 22P02)") in logged


def test_a_database_that_is_away_is_not_a_failure_of_the_service(
    own_server: EmbeddedServer, tenant_id: UUID, bearer: Bearer
) -> None:
    path = f"/api/v1/tenants/{tenant_id}/pos/probe/broken-database"
    with serving(probed()) as service:
        assert service.get(path, headers=bearer()).status_code == 500
        own_server.release()
        for _ in range(2):
            found = _problem(service.get(path, headers=bearer()), 503)
            assert (found.code, found.detail) == ("database", "The database does not answer; try again.")
        own_server.acquire()
        assert service.get(path, headers=bearer()).status_code == 500


def test_a_database_that_never_answered_is_told_without_its_address(
    own_server: EmbeddedServer, tenant_id: UUID, bearer: Bearer, tmp_path: Path
) -> None:
    own_server.release()
    with serving(probed()) as service:
        answer = service.get(f"/api/v1/tenants/{tenant_id}/pos/probe/broken-database", headers=bearer())
    assert _problem(answer, 503).code == "database"
    assert str(tmp_path) not in answer.text


def test_what_the_operator_has_to_mend_is_in_the_log_alone(
    service: httpx.Client, path: str, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    answer = service.get(f"{path}/vault", headers=bearer())
    assert _problem(answer, 500).code == "vault"
    assert "POS_ENCRYPTION_KEYS" not in answer.text
    assert "POS_ENCRYPTION_KEYS" in caplog.text


def test_an_answer_that_breaks_off_is_seen_as_broken_by_its_reader(
    service: httpx.Client, path: str, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        service.get(f"{path}/torn", headers=bearer())
    assert CANARY not in caplog.text
