"""The machine client's token: one for all configurations of a credential, at most two logins an hour."""

from __future__ import annotations

import pytest

from pipelines.connector import Credentials
from pipelines.credentials import NewKeeper
from pipelines.toast import CONNECTOR
from pos_core.errors import VendorAuthError, VendorError, VendorFaultError, VendorRateLimitError
from pos_core.repositories.configurations import Configuration
from sandbox.toast.driver import LOGIN, Driver
from tests.conftest import Project


@pytest.fixture
def credentials(addressed: Driver) -> dict[str, object]:
    """Of the first account."""
    found: dict[str, object] = addressed.accounts[0]["credentials"]
    return found


def logins(vendor: Driver) -> int:
    """How often anybody has asked for a token."""
    calls = vendor.http.get("/_sandbox/calls").json()
    return sum(each["count"] for each in calls if each["path"] == LOGIN)


def ask(project: Project, credentials: Credentials, restaurant: str) -> object:
    """Asks for a restaurant as a process of its own would: a keeper and a client of its own."""
    keeper = NewKeeper(project.engine, project.vault, credentials)
    with CONNECTOR.open_http(CONNECTOR.base_url(), keeper) as http:
        path = f"/restaurants/v1/restaurants/{restaurant}"
        return http.get(path, headers={"Toast-Restaurant-External-ID": restaurant}).body["guid"]


@pytest.fixture
def restaurant(addressed: Driver) -> str:
    """One of the first account."""
    return addressed.restaurant()


def test_one_login_serves_every_configuration_and_process(
    project: Project, vendor: Driver, accounts: list[Configuration]
) -> None:
    project.sync(*accounts)
    project.sync(*accounts)
    assert logins(vendor) == len(accounts)


def test_a_refused_token_is_renewed_once_and_for_all(
    project: Project, vendor: Driver, credentials: dict[str, object], restaurant: str
) -> None:
    assert ask(project, credentials, restaurant) == restaurant
    vendor.control("tokens", {"merchant_id": vendor.account_id(), "state": "expired"})
    assert ask(project, credentials, restaurant) == restaurant
    assert ask(project, credentials, restaurant) == restaurant
    assert logins(vendor) == 2


def test_a_token_is_renewed_in_its_last_minute(
    project: Project, vendor: Driver, credentials: dict[str, object], restaurant: str
) -> None:
    vendor.control("settings", {"token_seconds": 59})
    assert ask(project, credentials, restaurant) == restaurant
    assert logins(vendor) == 2  # the first answer was in its last minute already


def test_a_third_login_within_an_hour_is_not_made(
    project: Project, vendor: Driver, credentials: dict[str, object], restaurant: str
) -> None:
    for _ in range(2):
        ask(project, credentials, restaurant)
        vendor.control("tokens", {"merchant_id": vendor.account_id(), "state": "expired"})
    for _ in range(3):
        with pytest.raises(VendorRateLimitError, match="two logins an hour"):
            ask(project, credentials, restaurant)
    assert logins(vendor) == 2


def test_refused_logins_count_too(
    project: Project, vendor: Driver, credentials: dict[str, object], restaurant: str
) -> None:
    wrong = {**credentials, "client_secret": "placeholder"}
    with pytest.raises(VendorAuthError, match="client id and secret") as refusal:
        ask(project, wrong, restaurant)
    assert "placeholder" not in refusal.value.message
    with pytest.raises((VendorAuthError, VendorRateLimitError)):
        ask(project, wrong, restaurant)
    with pytest.raises(VendorRateLimitError):
        ask(project, wrong, restaurant)
    assert logins(vendor) == 2
    assert ask(project, credentials, restaurant) == restaurant


def test_the_token_is_stored_sealed_and_found_by_no_credential(
    project: Project, credentials: dict[str, object], restaurant: str
) -> None:
    ask(project, credentials, restaurant)
    (row,) = project.rows("select key_hash, token_sealed from pos_shared_tokens")
    for secret in ("eyJ", str(credentials["client_secret"]), str(credentials["client_id"])):
        assert secret not in row["key_hash"] + row["token_sealed"]


def test_a_lost_scope_is_told_with_the_scopes_that_are_needed(
    project: Project, vendor: Driver, credentials: dict[str, object], restaurant: str
) -> None:
    vendor.control("tokens", {"merchant_id": vendor.account_id(), "state": "insufficient_scopes"})
    with pytest.raises(VendorAuthError, match="orders:read, config:read or restaurants:read"):
        ask(project, credentials, restaurant)


@pytest.mark.parametrize(
    ("status", "refusal"), [(429, VendorRateLimitError), (503, VendorFaultError)], ids=["limited", "failing"]
)
def test_a_login_that_fails_is_sent_once_and_counts(
    project: Project,
    vendor: Driver,
    credentials: dict[str, object],
    restaurant: str,
    status: int,
    refusal: type[VendorError],
) -> None:
    """The vendor counts it whatever it answers, so that it is never repeated like another request."""
    vendor.control("faults", {"kind": "status", "path": LOGIN, "status": status, "retry_after": 0})
    for sent in (1, 2):
        with pytest.raises(refusal):
            ask(project, credentials, restaurant)
        assert logins(vendor) == sent
    with pytest.raises(VendorRateLimitError, match="two logins an hour"):
        ask(project, credentials, restaurant)
    assert logins(vendor) == 2


def test_a_refused_login_is_not_repeated_by_itself(
    project: Project, vendor: Driver, credentials: dict[str, object], restaurant: str
) -> None:
    with pytest.raises(VendorAuthError, match="client id and secret"):
        ask(project, {**credentials, "client_secret": "placeholder"}, restaurant)
    assert logins(vendor) == 1
