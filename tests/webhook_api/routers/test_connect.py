"""Connecting by login: from the vendor's page back to a configuration, once, in the browser that began."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from pos_core.settings import get_settings
from sandbox.square.oauth import APPLICATION_ID, APPLICATION_SECRET
from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.conftest import Vendors
from webhook_api.services import connect_state

CALLBACK = "/api/v1/connect/callback"


@pytest.fixture
def _applications(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's applications at the vendors that have logins."""
    monkeypatch.setenv("SQUARE_APPLICATION_ID", APPLICATION_ID)
    monkeypatch.setenv("SQUARE_APPLICATION_SECRET", APPLICATION_SECRET)
    credentials = vendors.accounts("lightspeed")[0]["credentials"]
    monkeypatch.setenv("LIGHTSPEED_CLIENT_ID", credentials["client_id"])
    monkeypatch.setenv("LIGHTSPEED_CLIENT_SECRET", credentials["client_secret"])


pytestmark = pytest.mark.usefixtures("_applications")


def _begin(tenant: TenantCaller, pos_system: str = "square", **content: Any) -> httpx.Response:
    return tenant.get(f"/connect/{pos_system}", params={"name": "By login"}, **content)


def _allow(begun: httpx.Response) -> dict[str, str]:
    """What the vendor sends the browser back with, when the customer allows access."""
    answer = httpx.get(begun.raise_for_status().json()["authorize_url"])
    assert answer.status_code == 302
    address = httpx.URL(answer.headers["location"])
    assert address.copy_with(query=None) == get_settings().webhook_base_url + CALLBACK
    return dict(address.params)


def _nothing_is_stored(project: Project) -> bool:
    return project.rows("select * from pos_configurations") == []


@pytest.mark.parametrize(("pos_system", "number"), [("square", 0), ("lightspeed", 0), ("lightspeed", 1)])
def test_a_login_becomes_a_configuration(
    vendors: Vendors,
    tenant: TenantCaller,
    project: Project,
    pos_system: str,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The accounts of the second vendor have clients of both generations."""
    account = vendors.accounts(pos_system)[number]
    if pos_system == "lightspeed":
        monkeypatch.setenv("LIGHTSPEED_CLIENT_ID", account["credentials"]["client_id"])
        monkeypatch.setenv("LIGHTSPEED_CLIENT_SECRET", account["credentials"]["client_secret"])
    begun = _begin(tenant, pos_system)
    assert begun.headers["cache-control"] == "no-store"
    left = datetime.fromisoformat(begun.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    ended = tenant.client.get(CALLBACK, params=_allow(begun))
    assert ended.status_code == 200, ended.text
    made = tenant.get(f"/configurations/{ended.json()['configuration_id']}").json()
    assert (made["name"], made["account"]["id"]) == ("By login", account["account_id"])
    assert {each["id"] for each in made["locations"]} == {each["id"] for each in account["locations"]}
    assert tenant.test(made["id"])["ok"] is True
    (entry,) = tenant.get("/audit").json()["items"]
    assert (entry["action"], entry["actor"], entry["origin"]) == (
        "configuration.created",
        "token:development",
        "127.0.0.1",
    )


def test_the_vendor_is_asked_for_no_more_than_is_read(tenant: TenantCaller, vendors: Vendors) -> None:
    asked = httpx.URL(_begin(tenant).json()["authorize_url"]).params
    assert set(asked["scope"].split()) == {
        "ORDERS_READ",
        "PAYMENTS_READ",
        "MERCHANT_PROFILE_READ",
        "ITEMS_READ",
    }
    assert (asked["session"], "code_challenge" in asked) == ("false", False)
    asked = httpx.URL(_begin(tenant, "lightspeed").json()["authorize_url"]).params
    assert set(asked["scope"].split()) <= {"financial-api", "offline_access"}


def test_the_newer_generation_is_sent_a_challenge(
    vendors: Vendors, tenant: TenantCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenges = {}
    for account in vendors.accounts("lightspeed"):
        monkeypatch.setenv("LIGHTSPEED_CLIENT_ID", account["credentials"]["client_id"])
        asked = httpx.URL(_begin(tenant, "lightspeed").json()["authorize_url"]).params
        challenges[account["credentials"]["generation"]] = asked.get("code_challenge")
    assert challenges["V1"] is None
    assert re.fullmatch(r"[\w-]{43}", str(challenges["V2"]))


@pytest.mark.parametrize(
    ("address", "is_secure", "path"),
    [
        ("http://127.0.0.1:8000", False, CALLBACK),
        ("https://pos.example.com", True, CALLBACK),
        ("https://example.com/pos", True, f"/pos{CALLBACK}"),
    ],
)
def test_the_cookie_is_for_the_callback_alone(
    tenant: TenantCaller, monkeypatch: pytest.MonkeyPatch, address: str, is_secure: bool, path: str
) -> None:
    monkeypatch.setenv("WEBHOOK_BASE_URL", address)
    get_settings.cache_clear()
    cookie = _begin(tenant).headers["set-cookie"]
    assert re.match(r"pos_connect_[0-9a-f]{32}=[\w-]{43};", cookie)
    parts = {each.strip().lower() for each in cookie.split(";")[1:]}
    expected = {"httponly", "samesite=lax", "max-age=600", f"path={path}"}
    assert {each for each in parts if each != "secure"} == expected
    assert ("secure" in parts) is is_secure


def test_a_browser_is_sent_on_and_gets_pages(vendors: Vendors, tenant: TenantCaller) -> None:
    html = {"accept": "text/html,application/xhtml+xml"}
    begun = _begin(tenant, headers=html)
    assert begun.status_code == 303
    back = httpx.URL(httpx.get(begun.headers["location"]).headers["location"])
    ended = tenant.client.get(CALLBACK, params=back.params, headers=html)
    assert (ended.status_code, ended.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<h1>Connected</h1>" in ended.text
    assert ended.headers["referrer-policy"] == "no-referrer"
    again = tenant.client.get(CALLBACK, params=back.params, headers=html)
    assert (again.status_code, again.headers["content-type"]) == (400, "text/html; charset=utf-8")


def test_two_callbacks_with_the_same_state_at_once_one_wins(
    tenant: TenantCaller, project: Project, vendors: Vendors
) -> None:
    back = _allow(_begin(tenant))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: tenant.client.get(CALLBACK, params=back), range(4)))
    assert sorted(each.status_code for each in answers) == [200, 400, 400, 400]
    assert project.value("select count(*) from pos_configurations") == 1
    assert vendors.calls("/oauth2/token") == 1


def test_two_logins_at_once_do_not_disturb_each_other(vendors: Vendors, tenant: TenantCaller) -> None:
    backs = [_allow(_begin(tenant, each)) for each in ("square", "lightspeed")]
    assert [tenant.client.get(CALLBACK, params=back).status_code for back in backs] == [200, 200]


def test_another_browser_cannot_end_it(tenant: TenantCaller, project: Project) -> None:
    back = _allow(_begin(tenant))
    cookies = dict(tenant.client.cookies)
    tenant.client.cookies.clear()
    assert tenant.client.get(CALLBACK, params=back).status_code == 400
    (name,) = cookies
    wrong = {"cookie": f"{name}=another-nonce"}
    answer = tenant.client.get(CALLBACK, params=back, headers=wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "connect")
    assert _nothing_is_stored(project)
    right = {"cookie": f"{name}={cookies[name]}"}
    assert tenant.client.get(CALLBACK, params=back, headers=right).status_code == 200


def test_a_login_that_took_too_long_is_over(
    tenant: TenantCaller, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_state, "LIFETIME", timedelta(seconds=-1))
    back = _allow(_begin(tenant))
    answer = tenant.client.get(CALLBACK, params=back)
    assert answer.status_code == 400
    assert "longer than ten minutes" in answer.json()["detail"]
    assert _nothing_is_stored(project)


def test_the_database_has_the_last_word_on_expiry(tenant: TenantCaller, project: Project) -> None:
    back = _allow(_begin(tenant))
    project.execute("update pos_connect_states set expires_at = now()")
    assert tenant.client.get(CALLBACK, params=back).status_code == 400
    assert _nothing_is_stored(project)


def test_expired_ones_are_forgotten_when_new_ones_are_made(tenant: TenantCaller, project: Project) -> None:
    for _ in range(3):
        _begin(tenant).raise_for_status()
    project.execute("update pos_connect_states set expires_at = now()")
    _begin(tenant).raise_for_status()
    assert project.value("select count(*) from pos_connect_states") == 1


@pytest.mark.parametrize("state", ["", "x", "\x00", "e30", "bnVsbA", "é" * 9, "A" * 5999])
def test_a_state_that_was_made_up_is_refused(tenant: TenantCaller, project: Project, state: str) -> None:
    answer = tenant.client.get(CALLBACK, params={"state": state, "code": "any"})
    assert (answer.status_code, answer.json()["code"]) == (400, "connect")
    assert answer.headers["content-type"] == "application/problem+json"
    assert _nothing_is_stored(project)


def test_a_state_that_was_changed_is_refused(tenant: TenantCaller, project: Project) -> None:
    back = _allow(_begin(tenant))
    middle = len(back["state"]) // 2
    letter = "A" if back["state"][middle] != "A" else "B"
    changed = back["state"][:middle] + letter + back["state"][middle + 1 :]
    assert tenant.client.get(CALLBACK, params={**back, "state": changed}).status_code == 400
    assert _nothing_is_stored(project)


def test_a_state_says_nothing_to_who_reads_it(tenant: TenantCaller) -> None:
    state = httpx.URL(_begin(tenant).json()["authorize_url"]).params["state"]
    envelope = json.loads(base64.urlsafe_b64decode(state + "=" * (-len(state) % 4)))
    assert set(envelope) == {"v", "kid", "n", "c"}
    assert b"By login" not in base64.b64decode(envelope["c"])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "Access was not allowed at Square"),
        ("server_error", "without giving access (server_error)"),
        ("<script>alert(1)</script>", "without giving access;"),
        (None, "without giving access;"),
    ],
)
def test_a_vendor_that_says_no_is_told_and_nothing_of_it_is_reflected(
    tenant: TenantCaller, project: Project, error: str | None, said: str
) -> None:
    for accept in ("text/html", "application/json"):
        state = httpx.URL(_begin(tenant).json()["authorize_url"]).params["state"]
        back = {"state": state} | ({"error": error, "error_description": "<b>no</b>"} if error else {})
        answer = tenant.client.get(CALLBACK, params=back, headers={"accept": accept})
        assert answer.status_code == 400
        assert said in answer.text
        assert "<script>" not in answer.text
        assert "<b>" not in answer.text
        assert tenant.client.get(CALLBACK, params={"state": state, "code": "late"}).status_code == 400
    assert _nothing_is_stored(project)


def test_a_code_that_the_vendor_does_not_know_connects_nothing(
    tenant: TenantCaller, project: Project
) -> None:
    back = _allow(_begin(tenant))
    answer = tenant.client.get(CALLBACK, params={**back, "code": "made-up-code"})
    assert (answer.status_code, answer.json()["code"]) == (422, "auth")
    assert "made-up-code" not in answer.text
    assert _nothing_is_stored(project)


def test_a_code_is_of_use_to_nobody_without_the_verifier(
    vendors: Vendors, tenant: TenantCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code that was caught in one login and brought into another has another challenge."""
    (account, *_) = [
        each for each in vendors.accounts("lightspeed") if each["credentials"]["generation"] == "V2"
    ]
    monkeypatch.setenv("LIGHTSPEED_CLIENT_ID", account["credentials"]["client_id"])
    monkeypatch.setenv("LIGHTSPEED_CLIENT_SECRET", account["credentials"]["client_secret"])
    caught, own = _allow(_begin(tenant, "lightspeed")), _allow(_begin(tenant, "lightspeed"))
    answer = tenant.client.get(CALLBACK, params={"state": own["state"], "code": caught["code"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "auth")


@pytest.mark.parametrize(
    ("pos_system", "status", "said"),
    [
        ("toast", 422, "no login"),
        ("abacus", 404, "no such POS"),
        ("Square", 422, "not valid"),
        ("%00", 422, "not valid"),
    ],
)
def test_a_pos_without_a_login_is_told(
    tenant: TenantCaller, project: Project, pos_system: str, status: int, said: str
) -> None:
    answer = _begin(tenant, pos_system)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert project.rows("select * from pos_connect_states") == []


@pytest.mark.parametrize("pos_system", ["square", "lightspeed"])
def test_an_operator_without_an_application_is_told_without_its_settings(
    tenant: TenantCaller, monkeypatch: pytest.MonkeyPatch, pos_system: str
) -> None:
    monkeypatch.delenv("SQUARE_APPLICATION_ID")
    monkeypatch.delenv("SQUARE_APPLICATION_SECRET")
    monkeypatch.delenv("LIGHTSPEED_CLIENT_ID")
    answer = _begin(tenant, pos_system)
    assert answer.status_code == 422
    assert "not set up" in answer.json()["detail"]
    assert "CLIENT" not in answer.text
    assert "APPLICATION" not in answer.text


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "nul\x00"])
def test_a_name_that_is_none_is_refused(tenant: TenantCaller, name: str) -> None:
    assert tenant.get("/connect/square", params={"name": name}).status_code == 422


def test_the_longest_name_fits_into_a_state(vendors: Vendors, tenant: TenantCaller) -> None:
    begun = tenant.get("/connect/square", params={"name": "\N{CROISSANT}" * 100})
    back = _allow(begun)
    assert len(back["state"]) < connect_state.LONGEST
    assert tenant.client.get(CALLBACK, params=back).status_code == 200


def test_the_tenant_is_the_one_who_began(
    tenant: TenantCaller, client: httpx.Client, project: Project
) -> None:
    other = TenantCaller(client, UUID(int=5))
    back = _allow(_begin(other))
    assert tenant.client.get(CALLBACK, params=back).status_code == 200
    assert project.value("select tenant_id from pos_configurations") == UUID(int=5)
    assert tenant.get("/configurations").json()["items"] == []
