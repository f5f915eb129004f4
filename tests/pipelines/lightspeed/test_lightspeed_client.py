"""What refusals mean, and which business credentials are for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipelines.connector import Account
from pipelines.lightspeed import CONNECTOR, client
from pos_core.errors import CredentialsError, VendorAuthError, VendorFaultError, VendorRequestError
from pos_core.repositories.configurations import Configuration
from sandbox.lightspeed.driver import Driver
from tests.conftest import Project
from tests.pipelines.lightspeed.conftest import OddServer, Reader

ReaderOf = Callable[[str, dict[str, Any], str], Reader]
CREDENTIALS = {
    "access_token": "made-up-access",
    "refresh_token": "made-up-refresh",
    "generation": "V1",
    "client_id": "devp-example",
    "client_secret": "made-up-secret",
}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "Invalid date format: 12/12/2023"}, "Invalid date format"),
        (
            {"timestamp": "t", "status": 409, "error": "Conflict", "message": "two\nlines", "path": "/"},
            "two lines",
        ),
        ({"errors": [{"code": "odd", "title": "Something is odd"}]}, "Something is odd"),
        ({"error": "invalid_request", "error_description": "Missing a thing"}, "Missing a thing"),
        (None, "HTTP 409"),
        ([], "HTTP 409"),
        ({"errors": []}, "HTTP 409"),
    ],
)
def test_every_shape_of_a_refusal_is_read(body: Any, said: str) -> None:
    """Trap: five shapes of errors, and some have an empty body."""
    error = client.read_error(409, body)
    assert isinstance(error, VendorRequestError)
    assert said in error.message
    assert "\n" not in error.message


def test_refused_tokens_are_told_apart_from_a_missing_consent() -> None:
    assert isinstance(client.read_error(401, None), VendorAuthError)
    assert "financial-api" in client.read_error(403, {"error": "no"}).message


@pytest.mark.parametrize(
    ("named", "earliest"),
    [
        ("2021-03-10T05:30:00Z", datetime(2021, 3, 10, 5, 30, tzinfo=UTC)),
        ("2021-03-10T05:30:00.250+01:00", datetime(2021, 3, 10, 4, 30, 0, 250000, tzinfo=UTC)),
        ("2021-03-10", datetime(2021, 3, 10, tzinfo=UTC)),
    ],
)
def test_the_beginning_of_a_location_is_read_out_of_the_refusal(named: str, earliest: datetime) -> None:
    words = (
        f"Location was not operational on the provided date.\nSpecify a time after: {named}, the earliest."
    )
    error = client.read_error(400, {"error": words})
    assert isinstance(error, client.BeforeOpeningError)
    assert error.earliest == earliest
    assert not isinstance(
        client.read_error(400, {"error": words.replace(named, "soon")}), client.BeforeOpeningError
    )


def test_an_unknown_location_becomes_a_plain_error(
    project: Project, bakery: Driver, bakeries: list[Configuration], reader_of: ReaderOf
) -> None:
    """Trap: a location of somebody else is not found, rather than forbidden."""
    fresh = {each["account_id"]: each["credentials"] for each in bakery.http.get("/_sandbox/accounts").json()}
    reader = reader_of(bakery.url, fresh[bakery.account_id(0)], bakery.account_id(0))
    path = f"/f/v2/business-location/{bakery.locations(1)[0]}/sales"
    with pytest.raises(VendorRequestError, match=f"no business location {bakery.locations(1)[0]}") as refused:
        reader.http().get(path, {"from": "2026-03-01T00:00:00Z"})
    assert "business_location_ids" in refused.value.message


def _business(number: int, *locations: int) -> dict[str, Any]:
    return {
        "businessName": f"Bakery {number}",
        "businessId": number,
        "currencyCode": "EUR",
        "businessLocations": [
            {"blName": f"Shop {each}", "blID": each, "country": "BE", "timezone": "Europe/Brussels"}
            for each in locations
        ],
    }


@pytest.fixture
def confirm(odd_server: OddServer, reader_of: ReaderOf) -> Callable[..., Account]:
    """Confirms credentials against a vendor that shows some businesses."""

    def ask(businesses: list[Any], wanted: list[str] | None = None) -> Account:
        odd_server.answers["/f/data/businesses"] = lambda given: (
            200,
            {"_embedded": {"businessList": businesses[int(given["page"]) * 1000 :][:1000]}},
        )
        later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        credentials: dict[str, Any] = {**CREDENTIALS, "expires_at": later}
        if wanted is not None:
            credentials["business_location_ids"] = wanted
        http = reader_of(odd_server.url, credentials, "").http()
        assert isinstance(http, client.LightspeedHttp)
        http._has_renewed = True
        return client.confirm(http, credentials)

    return ask


def test_one_business_is_the_account_and_all_its_locations_are_read(confirm: Callable[..., Account]) -> None:
    account = confirm([_business(7, 31, 45454565682155)])
    assert (account.account_id, account.name) == ("7", "Bakery 7")
    assert [each.external_id for each in account.locations] == ["31", "45454565682155"]


def test_several_businesses_must_be_chosen_from(confirm: Callable[..., Account]) -> None:
    businesses = [_business(7, 31, 32), _business(8, 41)]
    with pytest.raises(CredentialsError, match=r"several businesses \(7, 8\).*7: 31, 32; 8: 41"):
        confirm(businesses)
    account = confirm(businesses, ["32"])
    assert (account.account_id, [each.external_id for each in account.locations]) == ("7", ["32"])
    with pytest.raises(CredentialsError, match="several businesses"):
        confirm(businesses, ["32", "41"])
    with pytest.raises(CredentialsError, match="do not see the business locations 99"):
        confirm(businesses, ["31", "99"])


def test_businesses_are_read_page_by_page(confirm: Callable[..., Account], odd_server: OddServer) -> None:
    many = [_business(number, number) for number in range(1, 1002)]
    account = confirm(many, ["1001"])
    assert account.account_id == "1001"
    assert [given["page"] for _, given in odd_server.asked] == ["0", "1"]


def test_credentials_that_see_nothing_are_refused(confirm: Callable[..., Account]) -> None:
    with pytest.raises(CredentialsError, match="no business location"):
        confirm([_business(7), {"businessId": 8}, "odd"])


def test_an_answer_that_is_none_is_a_fault_of_the_vendor(odd_server: OddServer, reader_of: ReaderOf) -> None:
    http = reader_of(odd_server.url, CREDENTIALS, "").http()
    answers: list[Any] = [[], {"_embedded": []}, {"_embedded": {"businessList": {}}}]
    for body in answers:
        odd_server.says("/f/data/businesses", body)
        with pytest.raises(VendorFaultError, match="no list of businesses"):
            client.confirm(http, CREDENTIALS)
    assert client.sales_of({}) == []
    with pytest.raises(VendorFaultError, match="no list of sales"):
        client.sales_of({"sales": "none"})
    assert CONNECTOR.incomplete("sales", {}) is None
