"""The audit trail tells who did what to which configuration, to whoever may read it."""

import httpx
import pytest

from pos_core.database.connect import tenant_engine
from pos_core.repositories import audit
from pos_core.repositories.audit import Actor
from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.conftest import Vendors


def test_every_change_is_told_with_before_and_after(vendors: Vendors, tenant: TenantCaller) -> None:
    account = vendors.accounts("square")[0]
    made = tenant.connected(account)
    tenant.change(made, {"name": "Renamed"}).raise_for_status()
    tenant.change(made, {"credentials": account["credentials"]}).raise_for_status()
    tenant.change(made, {"status": "disabled"}).raise_for_status()
    tenant.change(made, {"status": "active"}).raise_for_status()
    tenant.delete(made).raise_for_status()
    tenant.connected(account)
    entries = tenant.get("/audit").json()["items"]
    assert [each["action"].partition(".")[2] for each in entries] == [
        "revived", "deleted", "enabled", "disabled", "reconnected", "changed", "created"
    ]  # fmt: skip
    assert {each["configuration_id"] for each in entries} == {made}
    assert {(each["actor"], each["origin"]) for each in entries} == {("token:development", "127.0.0.1")}
    assert all(each["at"].endswith("Z") for each in entries)
    renamed = entries[5]
    assert (renamed["before"]["name"], renamed["after"]["name"]) == (account["name"], "Renamed")
    assert entries[-1]["before"] is None
    assert entries[1]["after"]["credentials_fingerprint"] is None
    assert len(entries[1]["before"]["credentials_fingerprint"]) == 16


@pytest.fixture
def entries(project: Project, tenant: TenantCaller) -> TenantCaller:
    """Five entries of the tenant, the last two of one configuration."""
    with tenant_engine(tenant.tenant_id).begin() as connection:
        for number in range(5):
            of = tenant.tenant_id if number > 2 else None
            audit.record(connection, tenant.tenant_id, of, Actor("test"), f"step.{number}")
    return tenant


def test_pages_lead_back_to_the_first_one(entries: TenantCaller) -> None:
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = entries.get("/audit", params=query).raise_for_status().json()
        seen += [each["action"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["step.4", "step.3", "step.2", "step.1", "step.0"]


def test_it_can_be_asked_about_one_configuration(entries: TenantCaller) -> None:
    query = {"configuration_id": str(entries.tenant_id)}
    assert [each["action"] for each in entries.get("/audit", params=query).json()["items"]] == [
        "step.4",
        "step.3",
    ]


def test_another_tenants_trail_is_not_there(entries: TenantCaller, client: httpx.Client) -> None:
    other = TenantCaller(client)
    query = {"configuration_id": str(entries.tenant_id)}
    assert other.get("/audit").json()["items"] == []
    assert other.get("/audit", params=query).json()["items"] == []
    assert client.get(f"{entries.home}/audit", headers=other.headers).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "WzBd"},
        {"cursor": "Wy0xXQ"},
        {"cursor": "WzFlOV0"},
        {"cursor": "WzkyMjMzNzIwMzY4NTQ3NzU4MDhd"},
    ],
)
def test_a_cursor_of_no_list_is_refused(entries: TenantCaller, query: dict[str, str]) -> None:
    assert entries.get("/audit", params=query).status_code == 422
