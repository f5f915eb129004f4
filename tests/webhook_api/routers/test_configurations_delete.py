"""Deleting a configuration destroys its secret, keeps its history, and gives the access up."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import pytest

from pos_core.repositories import configurations
from sandbox.square.oauth import APPLICATION_ID, APPLICATION_SECRET
from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.conftest import Vendors
from webhook_api.auth import READ, WRITE


@pytest.fixture
def application(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's application, known to the vendor."""
    monkeypatch.setenv("SQUARE_APPLICATION_ID", APPLICATION_ID)
    monkeypatch.setenv("SQUARE_APPLICATION_SECRET", APPLICATION_SECRET)


def _by_login(vendors: Vendors) -> dict[str, object]:
    """The first account, connected by tokens of the operator's application."""
    (account, *_) = vendors.accounts("square")
    redirect = "http://127.0.0.1/callback"
    query = {"client_id": APPLICATION_ID, "redirect_uri": redirect, "merchant_id": account["account_id"]}
    answer = httpx.get(f"{vendors.url}/oauth2/authorize", params=query)
    body = {
        "client_id": APPLICATION_ID,
        "client_secret": APPLICATION_SECRET,
        "grant_type": "authorization_code",
        "code": httpx.URL(answer.headers["location"]).params["code"],
    }
    tokens = httpx.post(f"{vendors.url}/oauth2/token", json=body).json()
    kept = ("access_token", "refresh_token", "merchant_id")
    return {**account, "credentials": {key: tokens[key] for key in kept}}


def test_the_secret_is_gone_and_the_history_stays(
    vendors: Vendors, tenant: TenantCaller, project: Project
) -> None:
    made = tenant.connected(vendors.accounts("square")[0])
    with project.engine.connect() as connection:
        configuration = configurations.get(connection, UUID(made))
    project.sync(configuration)
    project.normalise()
    rows = project.value("select count(*) from pos_transactions")
    assert tenant.delete(made).status_code == 204
    assert (tenant.get(f"/configurations/{made}").status_code, tenant.delete(made).status_code) == (404, 404)
    assert tenant.get("/configurations").json()["items"] == []
    (kept,) = project.rows("select * from pos_configurations")
    assert (kept["status"], kept["credentials_sealed"], kept["credentials_hint"]) == ("deleted", None, None)
    assert project.rows("select * from pos_configuration_locations where is_live") == []
    project.normalise()
    assert project.value("select count(*) from pos_transactions") == rows > 0


def test_a_sync_that_runs_ends_cleanly(vendors: Vendors, tenant: TenantCaller, project: Project) -> None:
    made = tenant.connected(vendors.accounts("square")[0])
    with project.engine.connect() as connection:
        configuration = configurations.get(connection, UUID(made))
    vendors.control("faults", kind="slow", path="/v2/catalog/search", seconds=1, count=1)
    with ThreadPoolExecutor(1) as pool:
        syncing = pool.submit(project.sync, configuration)
        while vendors.calls("/v2/catalog/search") == 0:
            pass
        tenant.delete(made).raise_for_status()
        (outcome,) = syncing.result().outcomes
    assert outcome.status == "succeeded"
    (kept,) = project.rows("select status, credentials_sealed from pos_configurations")
    assert (kept["status"], kept["credentials_sealed"]) == ("deleted", None)
    assert project.rows("select * from pos_configuration_locations where is_live") == []
    (outcome,) = project.sync(configuration).outcomes
    assert outcome.status == "failed"


@pytest.mark.usefixtures("application")
def test_the_access_is_given_up_at_the_vendor(vendors: Vendors, tenant: TenantCaller) -> None:
    made = tenant.connected(_by_login(vendors))
    tenant.delete(made).raise_for_status()
    assert vendors.calls("/oauth2/revoke") == 1


@pytest.mark.usefixtures("application")
def test_the_access_is_kept_while_another_tenant_uses_the_account(
    vendors: Vendors, tenant: TenantCaller, client: httpx.Client
) -> None:
    other = TenantCaller(client, None, READ, WRITE)
    made, theirs = tenant.connected(_by_login(vendors)), other.connected(_by_login(vendors))
    tenant.delete(made).raise_for_status()
    assert vendors.calls("/oauth2/revoke") == 0
    assert other.test(theirs)["ok"] is True
    other.delete(theirs).raise_for_status()
    assert vendors.calls("/oauth2/revoke") == 1


@pytest.mark.usefixtures("application")
def test_a_vendor_that_fails_does_not_stop_the_deletion(
    vendors: Vendors, tenant: TenantCaller, caplog: pytest.LogCaptureFixture
) -> None:
    made = tenant.connected(_by_login(vendors))
    vendors.control("faults", kind="status", path="/oauth2/revoke", status=503)
    assert tenant.delete(made).status_code == 204
    assert tenant.get(f"/configurations/{made}").status_code == 404
    assert "could not be given up" in caplog.text


def test_a_token_of_the_customers_own_stays_theirs(
    vendors: Vendors, tenant: TenantCaller, application: None
) -> None:
    tenant.delete(tenant.connected(vendors.accounts("square")[0])).raise_for_status()
    assert vendors.calls("/oauth2/revoke") == 0


def test_a_secret_that_does_not_open_can_be_destroyed(
    vendors: Vendors, tenant: TenantCaller, project: Project
) -> None:
    made = tenant.connected(vendors.accounts("square")[0])
    project.execute("update pos_configurations set credentials_sealed = 'damaged'")
    assert tenant.test(made)["details"] == {
        "reason": "service", "said": None, "account": None, "locations": []
    }  # fmt: skip
    assert tenant.delete(made).status_code == 204
