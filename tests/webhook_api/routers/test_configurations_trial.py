"""Testing a configuration says in plain words what is wrong, and never fails itself."""

import socket

import pytest

from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.conftest import Vendors


@pytest.mark.parametrize("pos_system", ["square", "toast", "lightspeed"])
def test_what_works_is_told_with_the_shops_that_were_found(
    vendors: Vendors, tenant: TenantCaller, pos_system: str
) -> None:
    account = vendors.accounts(pos_system)[0]
    made = tenant.connected(account)
    found = tenant.test(made)
    assert (found["ok"], found["details"]["reason"]) == (True, "works")
    assert found["details"]["account"]["id"] == account["account_id"]
    assert {each["id"] for each in found["details"]["locations"]} == {e["id"] for e in account["locations"]}
    assert all(each["name"] in found["message"] for each in account["locations"])


@pytest.mark.parametrize(
    ("pos_system", "state", "reason"),
    [
        ("square", "expired", "access"),
        ("square", "revoked", "access"),
        ("square", "insufficient_scopes", "permission"),
        ("toast", "revoked", "access"),
        ("toast", "insufficient_scopes", "permission"),
        ("lightspeed", "revoked", "access"),
        ("lightspeed", "insufficient_scopes", "permission"),
    ],
)
def test_an_access_that_is_gone_is_told(
    vendors: Vendors, tenant: TenantCaller, pos_system: str, state: str, reason: str
) -> None:
    account = vendors.accounts(pos_system)[0]
    made = tenant.connected(account)
    vendors.control("tokens", merchant_id=account["account_id"], state=state)
    found = tenant.test(made)
    assert (found["ok"], found["details"]["reason"]) == (False, reason)
    assert "Connect the account again" in found["message"]
    assert found["details"]["said"]


def test_an_expired_token_is_renewed_and_kept(
    vendors: Vendors, tenant: TenantCaller, project: Project
) -> None:
    account = vendors.accounts("lightspeed")[0]
    made = tenant.connected(account)
    before = tenant.get(f"/configurations/{made}").json()["credentials_fingerprint"]
    assert tenant.test(made)["ok"] is True
    assert tenant.get(f"/configurations/{made}").json()["credentials_fingerprint"] == before
    vendors.control("tokens", merchant_id=account["account_id"], state="expired")
    assert tenant.test(made)["ok"] is True
    assert tenant.get(f"/configurations/{made}").json()["credentials_fingerprint"] != before


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "status", "status": 500}, "vendor"),
        ({"kind": "status", "status": 429, "retry_after": "3600"}, "busy"),
        ({"kind": "status", "status": 404}, "refused"),
        ({"kind": "reset"}, "unreachable"),
    ],
)
def test_a_vendor_that_fails_is_told(
    vendors: Vendors, tenant: TenantCaller, fault: dict[str, object], reason: str
) -> None:
    made = tenant.connected(vendors.accounts("square")[0])
    vendors.control("faults", path="/v2/merchants", **fault)
    found = tenant.test(made)
    assert (found["ok"], found["details"]["reason"]) == (False, reason)


def test_an_address_where_nobody_listens_is_told(
    vendors: Vendors, tenant: TenantCaller, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tenant.connected(vendors.accounts("square")[0])
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}"
        project.execute("update pos_configurations set base_url = :url", url=nowhere)
        monkeypatch.setenv("SQUARE_BASE_URL", nowhere)
        assert tenant.test(made)["details"]["reason"] == "unreachable"


def test_what_only_the_operator_can_mend_is_told_without_its_settings(
    vendors: Vendors, tenant: TenantCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tenant.connected(vendors.accounts("toast")[0])
    monkeypatch.delenv("TOAST_BASE_URL")
    found = tenant.test(made)
    assert (found["ok"], found["details"]["reason"], found["details"]["said"]) == (False, "service", None)


def test_an_account_that_is_another_one_now_is_told(
    vendors: Vendors, tenant: TenantCaller, project: Project
) -> None:
    made = tenant.connected(vendors.accounts("square")[0])
    project.execute("update pos_configurations set account_id = 'other'")
    assert tenant.test(made)["details"]["reason"] == "account"
