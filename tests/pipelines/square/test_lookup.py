"""Documents by the ids that events name, from the sandbox as it lags and from a scripted vendor."""

import json
from collections.abc import Iterator

import pytest

from pipelines.connector import Page
from pipelines.credentials import NewKeeper
from pipelines.http import VendorHttp
from pipelines.square import CONNECTOR, client
from pipelines.square.lookup import lookup
from pos_core.errors import VendorAuthError, VendorFaultError, VendorRequestError
from sandbox.square.driver import Driver
from tests.conftest import Project
from tests.pipelines.scripted import Reply, ScriptedVendor


@pytest.fixture
def http(sandbox: Driver, project: Project) -> Iterator[VendorHttp]:
    """A client of the sandbox's first account."""
    keeper = NewKeeper(project.engine, project.vault, sandbox.accounts[0]["credentials"])
    with client.open_http(sandbox.url, keeper) as http:
        yield http


@pytest.fixture
def scripted_http(vendor: ScriptedVendor, project: Project) -> Iterator[VendorHttp]:
    """A client of a scripted vendor."""
    keeper = NewKeeper(project.engine, project.vault, {"access_token": "for-a-test"})
    with client.open_http(vendor.url, keeper) as http:
        yield http


def ids(pages: Iterator[Page]) -> dict[str, list[str]]:
    """The ids on all pages, by stream."""
    found: dict[str, list[str]] = {}
    for page in pages:
        found.setdefault(page.stream, []).extend(document["id"] for document in page.documents)
    return found


def sell(sandbox: Driver, count: int) -> list[str]:
    """Sells, and answers the orders' ids."""
    created: list[str] = sandbox.control("sell", {"merchant_id": sandbox.merchant_id(), "count": count})[
        "created"
    ]
    return created


def test_a_payment_leads_to_its_order(sandbox: Driver, http: VendorHttp) -> None:
    payment = sandbox.payments()[0]
    refund = sandbox.listed("/v2/refunds", "refunds")[0]
    named = {"payments": [payment["id"], payment["id"]], "refunds": [refund["id"]], "orders": ["unknown"]}
    assert ids(lookup(http, named)) == {
        "payments": [payment["id"]],
        "refunds": [refund["id"]],
        "orders": [payment["order_id"], refund["order_id"]],
    }


def test_orders_are_asked_for_by_the_hundred(sandbox: Driver, http: VendorHttp) -> None:
    sold = sell(sandbox, 201)
    assert CONNECTOR.lookup is not None
    pages = list(CONNECTOR.lookup(http, {"orders": sold}))
    assert [len(page.documents) for page in pages] == [100, 100, 1]
    assert {each["id"] for page in pages for each in page.documents} == set(sold)
    assert all(page.read_at is not None for page in pages)


def test_what_the_vendor_lags_behind_is_absent_then_incomplete_then_there(
    sandbox: Driver, http: VendorHttp
) -> None:
    sandbox.control("settings", {"absent_reads": 1, "lag_reads": 1})
    (order_id,) = sell(sandbox, 1)
    sandbox.control("settings", {"cursor_seconds": 300})
    reads = [
        [each for page in lookup(http, {"orders": [order_id]}) for each in page.documents] for _ in range(3)
    ]
    assert [len(found) for found in reads] == [0, 1, 1]
    reasons = [CONNECTOR.incomplete("orders", found[0]) for found in reads[1:]]
    assert reasons == ["has a total but no lines yet", None]


def test_a_payment_that_is_not_there_yet_is_absent(sandbox: Driver, http: VendorHttp) -> None:
    before = {each["id"] for each in sandbox.payments()}
    sandbox.control("settings", {"absent_reads": 1})
    (order_id,) = sell(sandbox, 1)
    new = [each["id"] for each in sandbox.payments() if each["id"] not in before]
    assert ids(lookup(http, {"payments": new})) == {}
    assert ids(lookup(http, {"payments": new})) == {"payments": new, "orders": []}
    assert ids(lookup(http, {"payments": new})) == {"payments": new, "orders": [order_id]}


def test_ids_are_no_part_of_the_path(scripted_http: VendorHttp, vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(body=json.dumps({"payment": {"id": "x"}}).encode())]
    list(lookup(scripted_http, {"payments": ["../orders?x=1"]}))
    assert vendor.requests[0].path == "/v2/payments/..%2Forders%3Fx%3D1"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(400, b'{"errors":[{"code":"BAD_REQUEST"}]}'), VendorRequestError),
        (Reply(401, b"{}"), VendorAuthError),
        (Reply(body=b"{}"), VendorFaultError),
        (Reply(body=b"[]"), VendorFaultError),
        (Reply(body=b'{"payment":5}'), VendorFaultError),
    ],
)
def test_only_not_found_is_absent(
    scripted_http: VendorHttp, vendor: ScriptedVendor, reply: Reply, error: type[Exception]
) -> None:
    vendor.replies = [reply]
    with pytest.raises(error):
        list(lookup(scripted_http, {"payments": ["P1"]}))


def test_nothing_named_is_nothing_asked(scripted_http: VendorHttp, vendor: ScriptedVendor) -> None:
    assert list(lookup(scripted_http, {})) == []
    assert vendor.requests == []
