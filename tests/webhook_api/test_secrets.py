"""Canaries: what is planted as a credential comes out of no answer, no log line and no column in clear."""

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pos_core.settings import get_settings
from sandbox.square.oauth import APPLICATION_ID, APPLICATION_SECRET
from tests.canaries import Canaries, in_database
from tests.conftest import Project
from tests.webhook_api.callers import TenantCaller
from tests.webhook_api.conftest import Vendors

CANARY = "canary-0123456789-sings"
FIELDS = {
    "square": ("access_token", "refresh_token", "merchant_id"),
    "toast": ("client_id", "client_secret", "restaurant_guids", "group_restaurant_guid"),
    "lightspeed": (
        "client_id",
        "client_secret",
        "access_token",
        "refresh_token",
        "generation",
        "business_location_ids",
    ),
}
SECRETS = {"access_token", "refresh_token", "client_secret"}
# A shop's id is no secret. It is in the address that is asked, and so in httpx's line about it.
SHOPS = {"restaurant_guids", "group_restaurant_guid", "business_location_ids"}


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """All loggers at DEBUG, those too that were told to be quieter."""
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    levels = {logger: logger.level for logger in loggers}
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    caplog.handler.setLevel(logging.DEBUG)
    yield
    for logger, level in levels.items():
        logger.setLevel(level)


def _heard(tenant: TenantCaller, caplog: pytest.LogCaptureFixture, project: Project) -> str:
    """Everything that was answered, logged and stored."""
    answers = [f"{each.headers}{each.text}" for each in tenant.answers]
    lines = [logging.Formatter().format(record) for record in caplog.records if record.name != "asyncio"]
    tables = project.rows(
        "select c.oid::regclass::text as name from pg_class as c where c.relkind = 'r' and "
        "(c.relnamespace::regnamespace::text in ('public', 'pos_work') "
        "or c.relnamespace::regnamespace::text like 'raw\\_%')"
    )
    assert len(tables) > 20
    stored = [
        row["content"]
        for table in tables
        for row in project.rows(f"select t::text as content from {table['name']} as t")
    ]
    return "\n".join([*answers, *lines, *stored])


def _lines_with(heard: str, *secrets: str) -> list[str]:
    return [line[:300] for line in heard.splitlines() if any(each in line for each in secrets)]


@pytest.mark.parametrize(("pos_system", "field"), [(p, f) for p, fields in FIELDS.items() for f in fields])
def test_a_canary_in_a_field_is_not_heard_again(
    vendors: Vendors,
    tenant: TenantCaller,
    project: Project,
    caplog: pytest.LogCaptureFixture,
    pos_system: str,
    field: str,
) -> None:
    account = vendors.accounts(pos_system)[0]
    value: Any = [CANARY] if field.endswith(("guids", "ids")) else CANARY
    planted = {**account["credentials"], field: value}
    tenant.connect(account, credentials=planted)
    # With another refresh token, since the vendor may have taken the one beside the canary.
    made = tenant.connected(vendors.accounts(pos_system)[0])
    tenant.change(made, {"credentials": planted})
    tenant.test(made)
    tenant.get("/audit").raise_for_status()
    if field in SHOPS:
        caplog.clear()
    assert _lines_with(_heard(tenant, caplog, project), CANARY) == []
    assert in_database(Canaries.of({field: CANARY}), project.address.libpq()) == set()


@pytest.mark.parametrize("pos_system", sorted(FIELDS))
def test_what_a_vendor_accepts_is_not_heard_again(
    vendors: Vendors,
    tenant: TenantCaller,
    project: Project,
    caplog: pytest.LogCaptureFixture,
    pos_system: str,
) -> None:
    account = vendors.accounts(pos_system)[0]
    made = tenant.connected(account)
    vendors.control("tokens", merchant_id=account["account_id"], state="expired")
    tenant.test(made)
    tenant.change(made, {"status": "disabled"})
    tenant.get("/configurations").raise_for_status()
    tenant.delete(made)
    tenant.get("/audit").raise_for_status()
    heard = _heard(tenant, caplog, project)
    assert "configuration.deleted" in heard
    secrets = {account["credentials"][each] for each in SECRETS & account["credentials"].keys()}
    assert secrets
    assert _lines_with(heard, *secrets) == []


@pytest.mark.parametrize(("pos_system", "number"), [("square", 0), ("lightspeed", 0), ("lightspeed", 1)])
def test_what_a_login_brings_is_not_heard_again(
    vendors: Vendors,
    tenant: TenantCaller,
    project: Project,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    pos_system: str,
    number: int,
) -> None:
    credentials = vendors.accounts(pos_system)[number]["credentials"]
    client_secret = credentials.get("client_secret", APPLICATION_SECRET)
    monkeypatch.setenv("SQUARE_APPLICATION_ID", APPLICATION_ID)
    monkeypatch.setenv("SQUARE_APPLICATION_SECRET", APPLICATION_SECRET)
    monkeypatch.setenv("LIGHTSPEED_CLIENT_ID", credentials.get("client_id", ""))
    monkeypatch.setenv("LIGHTSPEED_CLIENT_SECRET", client_secret)
    begun = tenant.get(f"/connect/{pos_system}", params={"name": "By login"}).raise_for_status()
    tenant.answers.clear()
    with httpx.Client() as browser:
        back = httpx.URL(browser.get(begun.json()["authorize_url"]).headers["location"])
    caplog.clear()  # what the browser has logged is its own
    ended = tenant.client.get(back.path, params=back.params).raise_for_status()
    tenant.answers.append(ended)
    tenant.test(ended.json()["configuration_id"])
    heard = _heard(tenant, caplog, project)
    stored = project.rows("select id, tenant_id, credentials_sealed from pos_configurations")[0]
    opened = project.vault.open(stored["tenant_id"], stored["id"], stored["credentials_sealed"])
    secrets = [str(opened["access_token"]), str(opened["refresh_token"]), client_secret, back.params["code"]]
    assert _lines_with(heard, *secrets) == []
    assert get_settings().webhook_base_url in str(back)
