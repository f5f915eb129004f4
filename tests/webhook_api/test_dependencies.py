"""Who may do what, over HTTP: with no token, a bad one, another tenant's, and too few scopes."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from pos_core.settings import get_settings
from tests.conftest import Project
from tests.webhook_api.conftest import Bearer, serving
from tests.webhook_api.issuers import claims, ec_key, issuing, published, signed
from tests.webhook_api.probes import probed
from webhook_api.auth import ADMIN, READ, WRITE, mint
from webhook_api.problems import MEDIA_TYPE


@pytest.fixture
def service(project: Project) -> Iterator[httpx.Client]:
    """The service with the probes, over the project's database."""
    with serving(probed()) as client:
        yield client


def _path(tenant_id: UUID) -> str:
    return f"/api/v1/tenants/{tenant_id}/pos/probe"


def test_a_caller_is_known_with_its_address_and_its_request(
    service: httpx.Client, tenant_id: UUID, bearer: Bearer
) -> None:
    answer = service.get(_path(tenant_id), headers={**bearer(), "X-Request-ID": "my-request-1"})
    assert answer.json() == {
        "tenant": str(tenant_id),
        "actor": "token:development",
        "origin": "127.0.0.1",
        "request_id": "my-request-1",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "Bearer"),
        ("Basic YTpi", 'Bearer error="invalid_token"'),
        ("Bearer", 'Bearer error="invalid_token"'),
        ("Bearer x.y.z", 'Bearer error="invalid_token"'),
        ("Bearer " + "a" * 20_000, 'Bearer error="invalid_token"'),
        ("Bearer \xff", 'Bearer error="invalid_token"'),
    ],
)
def test_without_a_token_that_holds_nobody_gets_in(
    service: httpx.Client, tenant_id: UUID, given: str | None, said: str
) -> None:
    headers = [(b"Authorization", given.encode("latin-1"))] if given else []
    answer = service.get(_path(tenant_id), headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, said)
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert answer.json()["code"] == "access_token"


@pytest.mark.parametrize(
    ("method", "needed"), [("GET", READ), ("POST", WRITE), ("DELETE", ADMIN)], ids=["read", "write", "admin"]
)
def test_an_endpoint_needs_its_scope(
    service: httpx.Client, tenant_id: UUID, bearer: Bearer, method: str, needed: str
) -> None:
    body = {"name": "Rye"} if method == "POST" else None
    others = {READ, WRITE, ADMIN} - {needed}
    refused = service.request(method, _path(tenant_id), headers=bearer(*others), json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "access_denied")
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope"'
    assert service.request(method, _path(tenant_id), headers=bearer(needed), json=body).status_code == 200


def test_another_tenant_is_one_that_does_not_exist(service: httpx.Client, bearer: Bearer) -> None:
    other = uuid4()
    answer = service.get(_path(other), headers=bearer())
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_resource")
    assert answer.json()["detail"] == f"There is no tenant {other}."


def test_a_tenant_that_is_no_id_is_a_bad_request_of_somebody_who_is_known(
    service: httpx.Client, bearer: Bearer
) -> None:
    path = "/api/v1/tenants/mine/pos/probe"
    assert service.get(path, headers=bearer()).status_code == 422
    assert service.get(path).status_code == 401


def test_a_token_of_the_issuer_gets_in_and_an_issuer_that_is_down_is_503(
    service: httpx.Client, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = {"Authorization": f"Bearer {signed(ec_key(), claims(tenant_id), 'ES256', 'e1')}"}
    with issuing(published(ec_key(), "e1")) as issuer:
        monkeypatch.setenv("POS_JWKS_URL", issuer.url)
        get_settings.cache_clear()
        assert service.get(_path(tenant_id), headers=token).status_code == 200
    with issuing() as gone:
        monkeypatch.setenv("POS_JWKS_URL", gone.url)
    get_settings.cache_clear()
    answer = service.get(_path(tenant_id), headers=token)
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer")


def test_a_token_that_expires_is_refused_from_then_on(service: httpx.Client, tenant_id: UUID) -> None:
    expired = mint(get_settings(), tenant_id, frozenset({READ}), timedelta(minutes=-5))
    answer = service.get(_path(tenant_id), headers={"Authorization": f"Bearer {expired}"})
    assert (answer.status_code, "expired" in answer.json()["detail"]) == (401, True)
