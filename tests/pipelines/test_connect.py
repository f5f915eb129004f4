"""Connecting an account: the vendor says whose credentials they are."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest

from pipelines.connect import Request, connect_account
from pos_cli.sandbox import sandbox_environment
from pos_core.errors import ConfigurationError, CredentialsError, VendorAuthError
from pos_core.repositories import configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from tests.conftest import Project

TENANT = UUID(int=7)


@pytest.fixture(autouse=True)
def _at_the_sandbox(sandbox: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in sandbox_environment(sandbox.url).items():
        monkeypatch.setenv(name, value)


def connect(project: Project, given: Any, **changes: Any) -> tuple[Configuration, bool]:
    """Connects as a customer would."""
    words = {"tenant_id": TENANT, "pos_system": "square", "name": "Bakery", "actor": Actor("test"), **changes}
    return connect_account(
        project.engine, project.vault, Request(given=given, sync_interval_seconds=300, **words)
    )


def credentials(sandbox: Driver, account: int = 0) -> dict[str, Any]:
    """What the vendor gave the customer."""
    return dict(sandbox.accounts[account]["credentials"])


def test_account_locations_and_history_are_the_vendors_answer(project: Project, sandbox: Driver) -> None:
    made, existed = connect(project, credentials(sandbox))
    assert existed is False
    assert made.account_id == sandbox.merchant_id()
    assert made.base_url == sandbox.url
    assert made.history_from is not None
    assert made.history_from < datetime(2026, 1, 1, tzinfo=UTC)
    shops = project.rows("select external_location_id as id from pos_configuration_locations where is_live")
    assert sorted(row["id"] for row in shops) == sorted(sandbox.locations())
    sealed = project.value("select credentials_sealed from pos_configurations")
    assert credentials(sandbox)["access_token"] not in sealed


def test_a_wrong_merchant_in_the_file_is_refused_and_nothing_is_stored(
    project: Project, sandbox: Driver
) -> None:
    with pytest.raises(CredentialsError, match="name another merchant than the one whose token it is"):
        connect(project, {**credentials(sandbox), "merchant_id": "OTHER"})
    assert project.rows("select * from pos_configurations") == []


def test_a_token_that_the_vendor_does_not_know_is_refused_without_repeating_it(project: Project) -> None:
    with pytest.raises(VendorAuthError) as caught:
        connect(project, {"access_token": "mistyped-token"})
    assert "does not accept the access token" in caught.value.message
    assert "mistyped-token" not in caught.value.message


@pytest.mark.parametrize("given", [None, [], "text", 5, {}, {"access_token": 5}, {"access_token": " "}])
def test_a_file_without_credentials_is_refused(project: Project, given: Any) -> None:
    with pytest.raises(CredentialsError):
        connect(project, given)


def test_connecting_the_account_again_revives_its_configuration(project: Project, sandbox: Driver) -> None:
    made, _ = connect(project, credentials(sandbox))
    with project.engine.begin() as connection:
        configurations.disable(connection, made.id, "closed", Actor("test"))
    project.sync(made)
    again, existed = connect(project, credentials(sandbox), name="Bakery again", day_starts_at=time(4))
    assert (again.id, existed, again.status, again.name) == (made.id, True, "active", "Bakery again")
    assert again.day_starts_at == time(4)
    assert project.sync(again).failed == []


def test_the_same_account_at_another_address_is_refused(
    project: Project, sandbox: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = connect(project, credentials(sandbox))
    monkeypatch.setenv("SQUARE_BASE_URL", sandbox.url.replace("127.0.0.1", "localhost"))
    with pytest.raises(ConfigurationError, match=f"is configuration {made.id}, made for"):
        connect(project, credentials(sandbox))


def test_two_tenants_may_connect_the_same_account(project: Project, sandbox: Driver) -> None:
    one, _ = connect(project, credentials(sandbox))
    other, existed = connect(project, credentials(sandbox), tenant_id=UUID(int=8))
    assert (existed, other.id != one.id) == (False, True)


def test_an_unknown_system_is_refused(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="no POS system 'abacus'"):
        connect(project, {}, pos_system="abacus")
