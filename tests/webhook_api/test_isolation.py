"""Every endpoint of a tenant, with another tenant's token: as if nothing were there, and nothing is done."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from pos_core.repositories import sync_requests
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.dagster_servers import nobody
from webhook_api.auth import SCOPES
from webhook_api.main import create_app

HOME = "/api/v1/tenants/{tenant_id}/pos"
# What is sent to each operation; it would be taken from the tenant whose path it is.
EXAMPLES: dict[str, dict[str, Any]] = {
    "GET /audit": {"params": {"configuration_id": "{config_id}"}},
    "GET /configurations": {"params": {"include_deleted": True}},
    "POST /configurations": {
        "json": {"pos_system": "square", "name": "Mine now", "credentials": {"access_token": "taken-over-1"}}
    },
    "GET /configurations/{config_id}": {},
    "PUT /configurations/{config_id}": {"json": {"name": "Mine now", "status": "disabled"}},
    "DELETE /configurations/{config_id}": {},
    "POST /configurations/{config_id}/test": {},
    "POST /configurations/{config_id}/sync": {"json": {"from": "2026-03-01T00:00:00Z"}},
    "GET /configurations/{config_id}/sync/status": {},
    "GET /configurations/{config_id}/sync/{request_id}": {},
    "GET /connect/{pos_system}": {"params": {"name": "Mine now"}},
    "GET /summary": {"params": {"from": "2026-03-01", "to": "2026-12-31"}},
    "GET /transactions": {"params": {"configuration_id": "{config_id}", "include": "items,payments"}},
    "GET /transactions/{transaction_id}": {"params": {"with_payload": True}},
}


def _operations() -> list[str]:
    """The operations with a tenant in their path, as the document has them."""
    return sorted(
        f"{method.upper()} {path.removeprefix(HOME)}"
        for path, methods in create_app().openapi()["paths"].items()
        for method in methods
        if "{tenant_id}" in path
    )


@dataclass
class Two:
    """A tenant with ids of everything, and another one who knows them all."""

    ids: dict[str, str]
    other: TenantCaller
    project: Project

    def ask(self, operation: str, ids: dict[str, str]) -> httpx.Response:
        """Asks with the other's token."""
        method, _, path = operation.partition(" ")
        content = json.loads(_with(json.dumps(EXAMPLES[operation]), ids))
        address = _with(HOME + path, {**ids, "pos_system": "square"})
        return self.other.client.request(method, address, headers=self.other.headers, **content)

    def digests(self) -> dict[str, tuple[Any, ...]]:
        """What is in each table."""
        tables = self.project.rows(
            "select c.oid::regclass::text as name from pg_class as c where relkind in ('r', 'p') "
            "and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema')"
        )
        digest = "count(*), md5(string_agg(t::text, '|' order by t::text))"
        return {
            each["name"]: tuple(self.project.rows(f"select {digest} from {each['name']} as t")[0].values())
            for each in tables
        }


def _with(template: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], found[0]), template)


@pytest.fixture
def two(
    project: Project,
    connected: list[Configuration],
    client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> Two:
    """Two tenants with sales; Dagster and the vendor are not asked about anything of the first."""
    monkeypatch.setenv("POS_DAGSTER_URL", nobody())
    get_settings.cache_clear()
    mine, theirs = connected
    project.sync(*connected)
    project.normalise()
    with project.engine.begin() as connection:
        asked, _ = sync_requests.ask(connection, mine.tenant_id, mine.id, "token:mine", None, None)
    sale = project.value(
        "select min(transaction_id::text) from pos_transactions where configuration_id = :id", id=mine.id
    )
    ids = {
        "tenant_id": str(mine.tenant_id),
        "config_id": str(mine.id),
        "request_id": str(asked.id),
        "transaction_id": sale,
    }
    return Two(ids, TenantCaller(client, theirs.tenant_id, *SCOPES), project)


def _told(answer: httpx.Response, ids: dict[str, str]) -> tuple[int, str, dict[str, str]]:
    """An answer without the ids that were sent and that of the request."""
    body = re.sub(r'"request_id":\s*"[^"]*"', "", answer.text)
    for name, value in ids.items():
        body = body.replace(value, name)
    but = {"x-request-id", "date", "content-length"}
    headers = {name: value for name, value in answer.headers.items() if name not in but}
    return (
        answer.status_code,
        body,
        {name: value for name, value in headers.items() if "ratelimit" not in name},
    )


def test_each_operation_has_something_to_be_sent() -> None:
    assert sorted(EXAMPLES) == _operations()


def test_another_tenants_path_is_one_that_does_not_exist(two: Two) -> None:
    unknown = {name: str(uuid4()) for name in two.ids}
    before = two.digests()
    for operation in _operations():
        answer = two.ask(operation, two.ids)
        assert answer.status_code == 404, operation
        assert _told(answer, two.ids) == _told(two.ask(operation, unknown), unknown), operation
    assert two.digests() == before


def test_another_tenants_ids_below_ones_own_path_are_unknown(two: Two) -> None:
    own = {"tenant_id": str(two.other.tenant_id)}
    unknown = {**{name: str(uuid4()) for name in two.ids}, **own}
    ids = {**two.ids, **own}
    before = two.digests()
    for operation in (each for each in _operations() if "_id}" in each):
        answer = two.ask(operation, ids)
        assert answer.status_code == 404, operation
        assert _told(answer, ids) == _told(two.ask(operation, unknown), unknown), operation
    assert two.digests() == before


def test_nothing_of_another_tenant_is_in_ones_own_listings(two: Two) -> None:
    asked = {**two.ids, "tenant_id": str(two.other.tenant_id)}
    sales = two.project.rows(
        "select transaction_id::text as id, external_id, external_location_id from pos_transactions "
        "where tenant_id = :mine",
        mine=two.ids["tenant_id"],
    )
    theirs = {*two.ids.values(), *(value for sale in sales for value in sale.values())}
    before = two.digests()
    listings = [each for each in _operations() if re.fullmatch(r"GET /[a-z]+", each)]
    assert len(listings) == 4
    for operation in listings:
        answer = two.ask(operation, asked)
        assert answer.status_code == 200, operation
        assert [each for each in theirs if each in answer.text] == [], operation
    assert two.digests() == before
