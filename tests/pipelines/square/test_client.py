"""Square's API: what its errors mean, whose token it is, and how its lists are read."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.connector import Location
from pipelines.credentials import NewKeeper
from pipelines.http import VendorHttp
from pipelines.square import client
from pos_core.errors import (
    CredentialsError,
    PosError,
    VendorAuthError,
    VendorFaultError,
    VendorRequestError,
    VendorScopeError,
)
from tests.conftest import Project
from tests.pipelines.scripted import Reply, ScriptedVendor

MERCHANT = b'{"merchant":[{"id":"M1","business_name":"Crumb","created_at":"2020-05-01T00:00:00Z"}]}'


@pytest.fixture
def http(vendor: ScriptedVendor, project: Project) -> Iterator[VendorHttp]:
    """A client with a token."""
    keeper = NewKeeper(project.engine, project.vault, {"access_token": "for-a-test"})
    with client.open_http(vendor.url, keeper) as http:
        yield http


def test_every_request_carries_version_and_token(vendor: ScriptedVendor, http: VendorHttp) -> None:
    http.get("/v2/locations")
    headers = vendor.requests[0].headers
    assert headers["square-version"] == "2026-07-15"
    assert headers["authorization"] == "Bearer for-a-test"


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (401, "ACCESS_TOKEN_EXPIRED", VendorAuthError, "has expired"),
        (401, "ACCESS_TOKEN_REVOKED", VendorAuthError, "was revoked"),
        (401, "UNAUTHORIZED", VendorAuthError, "does not accept"),
        (401, "SOMETHING_NEW", VendorAuthError, "does not accept"),
        (403, "INSUFFICIENT_SCOPES", VendorScopeError, "ORDERS_READ"),
        (403, "FORBIDDEN", VendorScopeError, "does not allow this to the access token (FORBIDDEN)"),
        (400, "INVALID_CURSOR", VendorRequestError, "HTTP 400 INVALID_CURSOR"),
        (404, "NOT_FOUND", VendorRequestError, "HTTP 404 NOT_FOUND"),
    ],
)
def test_each_code_has_its_own_error(status: int, code: str, kind: type[PosError], words: str) -> None:
    error = client.read_error(status, {"errors": [{"category": "X", "code": code, "detail": "secret"}]})
    assert type(error) is kind
    assert words in error.message
    assert "secret" not in error.message


@pytest.mark.parametrize("body", [None, [], "x", {}, {"errors": None}, {"errors": []}, {"errors": ["x"]}])
def test_a_refusal_without_words_is_still_an_error(body: Any) -> None:
    error = client.read_error(400, body)
    assert isinstance(error, VendorRequestError)
    assert error.message == "Square refused a request with HTTP 400."


def test_the_history_begins_with_the_oldest_of_merchant_and_shops(
    vendor: ScriptedVendor, http: VendorHttp
) -> None:
    shops = b'{"locations":[{"id":"L1","name":"Mill","created_at":"2019-01-01T00:00:00Z"},{"id":"L2"},5,{}]}'
    vendor.replies = [Reply(body=MERCHANT), Reply(body=shops)]
    account = client.confirm(http, {"merchant_id": "M1"})
    assert (account.account_id, account.name) == ("M1", "Crumb")
    assert account.opened_at == datetime(2019, 1, 1, tzinfo=UTC)
    assert account.locations == (Location("L1", "Mill"), Location("L2", "L2"))


def test_another_merchant_than_the_file_names_is_refused(vendor: ScriptedVendor, http: VendorHttp) -> None:
    vendor.replies = [Reply(body=MERCHANT), Reply(body=b"{}")]
    with pytest.raises(CredentialsError, match="name another merchant than the one whose token it is, M1"):
        client.confirm(http, {"merchant_id": "M2"})


@pytest.mark.parametrize(
    "body", [b"{}", b'{"merchant":[]}', b'{"merchant":[{"id":5}]}', b'{"merchant":["x"]}', b'{"merchant":{}}']
)
def test_an_answer_that_names_no_merchant_is_a_fault(
    vendor: ScriptedVendor, http: VendorHttp, body: bytes
) -> None:
    vendor.replies = [Reply(body=body), Reply(body=b"{}")]
    with pytest.raises(VendorFaultError):
        client.confirm(http, {})


def test_pages_are_followed_by_the_cursor_in_the_body(vendor: ScriptedVendor, http: VendorHttp) -> None:
    vendor.replies = [Reply(body=b'{"objects":[1],"cursor":"c"}'), Reply(body=b'{"objects":[2]}')]
    pages = list(client.pages_by_body(http, "/v2/catalog/search", {"limit": 1}))
    assert [page.body["objects"] for page in pages] == [[1], [2]]
    assert [each.body for each in vendor.requests] == [b'{"limit":1}', b'{"limit":1,"cursor":"c"}']


def test_an_absent_list_is_empty_and_anything_else_a_fault() -> None:
    assert client.items({}, "orders") == []
    assert client.items({"orders": [1], "errors": [{"code": "PARTIAL"}]}, "orders") == [1]
    others: list[object] = [[], None, "x", {"orders": None}, {"orders": {}}, {"errors": [{"code": "X"}]}]
    for body in others:
        with pytest.raises(VendorFaultError):
            client.items(body, "orders")


def test_a_shop_has_an_id_that_is_text() -> None:
    assert client.locate({"id": "L1", "name": "Mill"}) == Location("L1", "Mill")
    for other in ({}, {"id": None}, {"id": 5}):
        assert client.locate(other) is None
