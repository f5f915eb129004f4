"""Changing a configuration: what is left out stays, two editors do not overwrite each other."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from pos_core.repositories import configurations
from pos_core.repositories.audit import Actor
from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.conftest import Vendors


@pytest.fixture
def made(vendors: Vendors, tenant: TenantCaller) -> str:
    """A configuration."""
    return tenant.connected(vendors.accounts("square")[0])


def _is_live(answer: Any) -> set[bool]:
    return {each["is_live"] for each in answer.json()["locations"]}


def test_what_is_left_out_stays(tenant: TenantCaller, made: str) -> None:
    before = tenant.get(f"/configurations/{made}").json()
    changed = tenant.change(made, {"name": "Corner", "day_starts_at": "05:00", "sync_interval_seconds": 900})
    expected = {**before, "name": "Corner", "day_starts_at": "05:00", "sync_interval_seconds": 900}
    ours = {"updated_at", "next_sync_at"}
    assert {k: v for k, v in changed.json().items() if k not in ours} == {
        k: v for k, v in expected.items() if k not in ours
    }
    assert tenant.get(f"/configurations/{made}").json() == changed.json()


def test_nothing_changed_is_nothing_done(tenant: TenantCaller, made: str, project: Project) -> None:
    before = tenant.get(f"/configurations/{made}").json()
    assert tenant.change(made, {}).json() == before
    assert tenant.change(made, {"name": before["name"], "status": "active"}).json() == before
    assert project.value("select count(*) from pos_audit_logs") == 1


def test_a_shorter_interval_counts_from_now(tenant: TenantCaller, made: str, project: Project) -> None:
    project.execute("update pos_configurations set next_sync_at = now() + interval '6 hours'")
    tenant.change(made, {"sync_interval_seconds": 60}).raise_for_status()
    assert project.value("select next_sync_at <= now() + interval '60 seconds' from pos_configurations")


def test_another_day_start_normalises_everything_again(
    tenant: TenantCaller, made: str, project: Project
) -> None:
    tenant.change(made, {"day_starts_at": "06:00"}).raise_for_status()
    (touched,) = project.rows("select configuration_id, external_id from pos_touched_documents")
    assert (str(touched["configuration_id"]), touched["external_id"]) == (made, None)


def test_disabling_lets_the_locations_go_and_enabling_takes_them_again(
    vendors: Vendors, tenant: TenantCaller, made: str
) -> None:
    off = tenant.change(made, {"status": "disabled", "status_reason": "closed"})
    assert (off.json()["status"], off.json()["status_reason"]) == ("disabled", "closed")
    assert _is_live(off) == {False}
    asked = vendors.calls("/v2/locations")
    on = tenant.change(made, {"status": "active"})
    assert (on.json()["status"], on.json()["status_reason"]) == ("active", None)
    assert _is_live(on) == {True}
    assert vendors.calls("/v2/locations") == asked + 1


def test_enabling_what_is_live_elsewhere_is_a_conflict(
    tenant: TenantCaller, made: str, project: Project
) -> None:
    tenant.change(made, {"status": "disabled"}).raise_for_status()
    project.execute(
        "insert into pos_configurations (id, tenant_id, pos_system, name, account_id, base_url) "
        "select :other, tenant_id, pos_system, name, 'other', base_url from pos_configurations",
        other=(other := uuid4()),
    )
    project.execute(
        "insert into pos_configuration_locations (configuration_id, tenant_id, pos_system, "
        "external_location_id) select :other, tenant_id, pos_system, external_location_id "
        "from pos_configuration_locations",
        other=other,
    )
    answer = tenant.change(made, {"status": "active"})
    assert (answer.status_code, answer.json()["code"]) == (409, "configuration_in_use")
    assert tenant.get(f"/configurations/{made}").json()["status"] == "disabled"


def test_enabling_asks_the_vendor_first(vendors: Vendors, tenant: TenantCaller, made: str) -> None:
    account = vendors.accounts("square")[0]
    tenant.change(made, {"status": "disabled"}).raise_for_status()
    vendors.control("tokens", merchant_id=account["account_id"], state="revoked")
    answer = tenant.change(made, {"status": "active"})
    assert (answer.status_code, answer.json()["code"]) == (422, "auth")
    assert tenant.get(f"/configurations/{made}").json()["status"] == "disabled"


def test_new_credentials_of_the_same_account_replace_those_before(
    vendors: Vendors, tenant: TenantCaller, project: Project
) -> None:
    account = vendors.accounts("toast")[0]
    made = tenant.connected(account)
    project.execute("update pos_configurations set consecutive_failures = 4")
    fewer = {**account["credentials"], "restaurant_guids": [account["locations"][0]["id"]]}
    before = tenant.get(f"/configurations/{made}").json()
    after = tenant.change(made, {"credentials": fewer}).json()
    assert after["credentials_fingerprint"] != before["credentials_fingerprint"]
    assert after["consecutive_failures"] == 0
    live = [each["id"] for each in after["locations"] if each["is_live"]]
    assert live == fewer["restaurant_guids"]
    assert tenant.test(made)["ok"] is True


def test_credentials_of_another_account_are_refused(
    vendors: Vendors, tenant: TenantCaller, made: str
) -> None:
    other = vendors.accounts("square")[1]
    answer = tenant.change(made, {"credentials": other["credentials"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "credentials")
    assert other["account_id"] in answer.json()["detail"]
    assert tenant.test(made)["ok"] is True


def test_an_editor_who_has_seen_an_older_one_is_told(tenant: TenantCaller, made: str) -> None:
    seen = tenant.get(f"/configurations/{made}").headers["etag"]
    first = tenant.change(made, {"name": "First"}, headers={"if-match": seen})
    late = tenant.change(made, {"name": "Second"}, headers={"if-match": seen})
    assert (first.status_code, late.status_code) == (200, 412)
    assert late.json()["code"] == "configuration_changed"
    now = first.headers["etag"]
    assert tenant.change(made, {"name": "Third"}, headers={"if-match": f'"x", {now}'}).status_code == 200
    assert tenant.change(made, {"name": "Fourth"}, headers={"if-match": "*"}).status_code == 200
    assert tenant.change(made, {"name": "Fifth"}, headers={"if-match": f"W/{now}"}).status_code == 412


def test_what_a_sync_notes_is_no_edit(tenant: TenantCaller, made: str, project: Project) -> None:
    seen = tenant.get(f"/configurations/{made}").headers["etag"]
    project.execute("update pos_configurations set last_succeeded_at = now(), updated_at = now()")
    assert tenant.change(made, {"name": "New"}, headers={"if-match": seen}).status_code == 200


def test_of_two_editors_at_once_one_is_told(tenant: TenantCaller, made: str) -> None:
    seen = tenant.get(f"/configurations/{made}").headers["etag"]

    def edit(name: str) -> int:
        return tenant.change(made, {"name": name}, headers={"if-match": seen}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(edit, ["One", "Two"])) == [200, 412]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"status": "deleted"},
        {"status_reason": "x\x00"},
        {"name": "x" * 101},
        {"account_id": "other"},
        {"credentials": {"access_token": 5}},
        {"day_starts_at": "4"},
        {"sync_interval_seconds": 86_401},
    ],
)
def test_what_is_wrong_is_refused(tenant: TenantCaller, made: str, body: Any) -> None:
    assert tenant.change(made, body).status_code == 422


def test_a_configuration_of_another_address_stays_with_it(
    vendors: Vendors, tenant: TenantCaller, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.change(made, {"status": "disabled"}).raise_for_status()
    monkeypatch.setenv("SQUARE_BASE_URL", vendors.url.replace("127.0.0.1", "localhost"))
    answer = tenant.change(made, {"status": "active"})
    assert answer.status_code == 422
    assert "another address" in answer.json()["detail"]


def test_one_that_was_disabled_while_the_vendor_was_asked_is_told(
    vendors: Vendors, tenant: TenantCaller, made: str, project: Project
) -> None:
    """The command line disables without a tag; whoever wanted it active meanwhile has to look again."""
    vendors.control("faults", kind="slow", path="/v2/merchants", seconds=1, count=1)
    credentials = vendors.accounts("square")[0]["credentials"]
    seen = tenant.get(f"/configurations/{made}").headers["etag"]
    with ThreadPoolExecutor(1) as pool:
        asked = vendors.calls("/v2/merchants")
        change = pool.submit(
            tenant.change, made, {"credentials": credentials, "name": "New"}, headers={"if-match": seen}
        )
        while vendors.calls("/v2/merchants") == asked:
            pass
        with project.engine.begin() as connection:
            (known,) = configurations.listed(connection)
            configurations.disable(connection, known.id, "closed", Actor("cli:ada"))
        assert change.result().status_code == 412
    assert tenant.get(f"/configurations/{made}").json()["status"] == "disabled"
