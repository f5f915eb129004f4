"""Connecting accounts by their credentials, and listing what is connected."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.conftest import Vendors
from webhook_api.auth import OPERATOR, READ, WRITE

POS_SYSTEMS = ("square", "toast", "lightspeed")


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
def test_account_and_locations_are_the_vendors_answer(
    vendors: Vendors, tenant: TenantCaller, pos_system: str
) -> None:
    account = vendors.accounts(pos_system)[0]
    answer = tenant.connect(account, name="  Corner bakery ", day_starts_at="04:30", sync_interval_seconds=60)
    assert answer.status_code == 201
    made = answer.json()
    assert made["name"] == "Corner bakery"
    assert made["account"]["id"] == account["account_id"]
    assert {each["id"] for each in made["locations"]} == {each["id"] for each in account["locations"]}
    assert all(each["is_live"] for each in made["locations"])
    assert (made["status"], made["day_starts_at"], made["sync_interval_seconds"]) == ("active", "04:30", 60)
    assert made["created_at"].endswith("Z")
    assert made["last_succeeded_at"] is None
    shown = tenant.client.get(answer.headers["location"], headers=tenant.headers)
    assert shown.json() == made
    assert shown.headers["etag"] == answer.headers["etag"]


def test_connecting_the_account_again_revives_it(vendors: Vendors, tenant: TenantCaller) -> None:
    account = vendors.accounts("square")[0]
    made = tenant.connect(account).json()
    tenant.delete(made["id"]).raise_for_status()
    again = tenant.connect(account, name="Back again")
    assert (again.status_code, again.json()["id"], again.json()["name"]) == (200, made["id"], "Back again")
    assert all(each["is_live"] for each in again.json()["locations"])


def test_of_two_who_create_the_same_account_at_once_one_creates_it(
    vendors: Vendors, tenant: TenantCaller, project: Project
) -> None:
    account = vendors.accounts("square")[0]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: tenant.connect(account), range(4)))
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 201]
    assert len({each.json()["id"] for each in answers}) == 1
    assert project.value("select count(*) from pos_configurations") == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"pos_system": "abacus"}, 422),
        ({"pos_system": "Square"}, 422),
        ({"name": ""}, 422),
        ({"name": " \t "}, 422),
        ({"name": "nul\x00"}, 422),
        ({"name": "half \ud800"}, 422),
        ({"name": "n" * 101}, 422),
        ({"credentials": {}}, 422),
        ({"credentials": []}, 422),
        ({"credentials": {"access_token": "nul\x00"}}, 422),
        ({"credentials": {"access_token": "half \ud800"}}, 422),
        ({"credentials": {"\ud800": "half"}}, 422),
        ({"credentials": {"access_token": "a" * 20_001}}, 422),
        ({"credentials": {"access_token": {"deep": [1]}}}, 422),
        ({"credentials": {str(number): "many" for number in range(21)}}, 422),
        ({"credentials": {"access_token": "not-known-to-the-vendor"}}, 422),
        ({"day_starts_at": "24:00"}, 422),
        ({"day_starts_at": "04:00:00"}, 422),
        ({"sync_interval_seconds": 9}, 422),
        ({"sync_interval_seconds": 2**70}, 422),
        ({"account_id": "typed-in"}, 422),
        ({"\ud800": "half a name"}, 422),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_stored(
    vendors: Vendors, tenant: TenantCaller, project: Project, changes: dict[str, Any], status: int
) -> None:
    answer = _sent(tenant, {**_body(vendors), **changes})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert project.rows("select * from pos_configurations") == []
    assert project.rows("select * from pos_audit_logs") == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"sync_interval_seconds": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_json_is_refused(project: Project, tenant: TenantCaller, body: bytes) -> None:
    answer = tenant.call(
        "POST", "/configurations", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_pos_that_the_operator_has_not_set_up_is_told_without_the_setting(
    vendors: Vendors, tenant: TenantCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = vendors.accounts("toast")[0]
    monkeypatch.delenv("TOAST_BASE_URL")
    answer = tenant.connect(account)
    assert answer.status_code == 422
    assert "not set up" in answer.json()["detail"]
    assert "BASE_URL" not in answer.text


def test_a_vendor_that_fails_is_told_as_such(vendors: Vendors, tenant: TenantCaller) -> None:
    vendors.control("faults", kind="status", path="/v2/merchants", status=503)
    answer = tenant.connect(vendors.accounts("square")[0])
    assert (answer.status_code, answer.json()["code"]) == (502, "vendor_fault")
    assert vendors.calls("/v2/merchants") == 2


def test_a_location_that_is_live_under_another_configuration_is_a_conflict(
    vendors: Vendors, tenant: TenantCaller, project: Project
) -> None:
    account = vendors.accounts("square")[0]
    project.execute(
        "insert into pos_configurations (id, tenant_id, pos_system, name, account_id, base_url) "
        "values (:id, :tenant, 'square', 'Older', 'older', :url)",
        id=(older := uuid4()),
        tenant=tenant.tenant_id,
        url=vendors.url,
    )
    project.execute(
        "insert into pos_configuration_locations values (:id, :tenant, 'square', :location, 'Shop', true)",
        id=older,
        tenant=tenant.tenant_id,
        location=account["locations"][0]["id"],
    )
    answer = tenant.connect(account)
    assert (answer.status_code, answer.json()["code"]) == (409, "configuration_in_use")


def test_pages_lead_through_all_of_them_once(vendors: Vendors, tenant: TenantCaller) -> None:
    accounts = [vendors.accounts(each)[0] for each in POS_SYSTEMS]
    made = [tenant.connected(account) for account in accounts]
    tenant.delete(made[1])
    seen, cursor = [], None
    while True:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = tenant.get("/configurations", params=query).raise_for_status().json()
        seen += [each["id"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == [made[0], made[2]]
    everything = tenant.get("/configurations", params={"include_deleted": True}).json()
    assert [each["id"] for each in everything["items"]] == made
    assert [each["status"] for each in everything["items"]] == ["active", "deleted", "active"]
    assert everything["items"][1]["credentials_hint"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "!"},
        {"cursor": "bm90IGpzb24"},
        {"cursor": "WzFd"},
        {"cursor": "WzEsMl0"},
        {"cursor": "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwieCJd"},
        {"cursor": "\x00"},
        {"limit": 0},
        {"limit": 10**30},
    ],
)
def test_a_page_that_nobody_can_ask_for_is_refused(
    project: Project, tenant: TenantCaller, query: dict[str, Any]
) -> None:
    assert tenant.get("/configurations", params=query).status_code == 422


def test_another_tenants_configuration_is_as_unknown_as_any(
    vendors: Vendors, tenant: TenantCaller, client: httpx.Client
) -> None:
    made = tenant.connected(vendors.accounts("square")[0])
    other = TenantCaller(client)
    nobodys = str(uuid4())
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test")):
        content = {"json": {"name": "Mine now"}} if method == "PUT" else {}
        theirs = other.call(method, f"/configurations/{made}{path}", **content)
        unknown = other.call(method, f"/configurations/{nobodys}{path}", **content)
        assert (theirs.status_code, unknown.status_code) == (404, 404)
        told = [{**each.json(), "request_id": ""} for each in (theirs, unknown)]
        assert json.dumps(told[0]).replace(made, nobodys) == json.dumps(told[1])
    assert other.get("/configurations").json()["items"] == []
    assert client.get(f"{tenant.home}/configurations", headers=other.headers).status_code == 404
    assert tenant.get(f"/configurations/{made}").json()["name"] != "Mine now"


def test_who_may_only_read_changes_nothing(
    vendors: Vendors, tenant: TenantCaller, client: httpx.Client
) -> None:
    account = vendors.accounts("square")[0]
    made = tenant.connected(account)
    reader = TenantCaller(client, tenant.tenant_id, READ)
    assert reader.get(f"/configurations/{made}").status_code == 200
    refused = [
        reader.connect(account),
        reader.change(made, {"name": "New"}),
        reader.delete(made),
        reader.call("POST", f"/configurations/{made}/test"),
        reader.get("/connect/square", params={"name": "New"}),
        reader.get("/audit"),
    ]
    assert [each.status_code for each in refused] == [403] * 6
    assert client.get(f"{tenant.home}/configurations").status_code == 401


@pytest.fixture
def operators(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An account that is reached with the operator's own credential, and names its restaurants alone."""
    account = vendors.accounts("toast")[0]
    monkeypatch.setenv("TOAST_CLIENT_ID", account["credentials"]["client_id"])
    monkeypatch.setenv("TOAST_CLIENT_SECRET", account["credentials"]["client_secret"])
    named = {"restaurant_guids": [each["id"] for each in account["locations"]]}
    return {**account, "credentials": named}


def test_naming_shops_that_the_operators_credential_reads_needs_the_operator(
    operators: dict[str, Any], tenant: TenantCaller, client: httpx.Client, project: Project
) -> None:
    refused = tenant.connect(operators)
    assert (refused.status_code, refused.json()["code"]) == (403, "access_denied")
    assert project.rows("select * from pos_configurations") == []
    operator = TenantCaller(client, tenant.tenant_id, WRITE, OPERATOR)
    made = operator.connected(operators)
    assert tenant.get(f"/configurations/{made}").status_code == 200
    assert tenant.change(made, {"credentials": operators["credentials"]}).status_code == 403


def test_not_even_the_operator_names_a_shop_that_another_tenant_has(
    operators: dict[str, Any], client: httpx.Client, tenant: TenantCaller, vendors: Vendors
) -> None:
    first = TenantCaller(client, UUID(int=1), READ, WRITE, OPERATOR)
    second = TenantCaller(client, UUID(int=2), READ, WRITE, OPERATOR)
    made = first.connected(operators)
    refused = second.connect(operators)
    assert (refused.status_code, refused.json()["code"]) == (409, "configuration_in_use")
    assert str(first.tenant_id) not in refused.text
    first.change(made, {"status": "disabled"}).raise_for_status()
    second.connected(operators)
    assert first.change(made, {"status": "active"}).status_code == 409
    # The account's own credentials prove whose it is.
    assert tenant.connect(vendors.accounts("toast")[0]).status_code == 201


def test_of_two_tenants_who_name_the_same_shop_at_once_one_gets_it(
    operators: dict[str, Any], client: httpx.Client, project: Project
) -> None:
    callers = [TenantCaller(client, UUID(int=each), WRITE, OPERATOR) for each in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: each.connect(operators), callers))
    assert sorted(each.status_code for each in answers) == [201, 409]


def _body(vendors: Vendors) -> dict[str, Any]:
    account = vendors.accounts("square")[0]
    return {key: account[key] for key in ("pos_system", "name", "credentials")}


def _sent(tenant: TenantCaller, body: dict[str, Any]) -> httpx.Response:
    """Escapes what UTF-8 cannot hold, as JSON may."""
    return tenant.call(
        "POST",
        "/configurations",
        content=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
