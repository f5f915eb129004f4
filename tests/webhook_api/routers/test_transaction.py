"""One sale over real HTTP: its lines, its payments, and every version of the documents behind it."""

import json
from typing import Any
from uuid import uuid4

import pytest

from sandbox.square.driver import Driver
from tests.pipelines.given import order
from tests.webhook_api.sales import Sales
from webhook_api.schemas.transactions import TransactionDetail
from webhook_api.services import transactions as service


def _land(sales: Sales, sandbox: Driver, **changes: Any) -> None:
    sales.project.replay(sales.configuration, "orders", order(sandbox, "A", **changes))


def _id(sales: Sales, external_id: str) -> str:
    [found] = sales.ids(f"external_id = '{external_id}'")
    return found


def test_it_has_its_lines_its_payments_and_its_documents(sales: Sales) -> None:
    refund = sales.project.rows(
        "select t.transaction_id from pos_transactions as t where tenant_id = :tenant and item_count > 0"
        " and exists (select from raw_square.refunds where payload ->> 'order_id' = t.external_order_id)",
        tenant=sales.tenant_id,
    )[0]["transaction_id"]
    answer = sales.get(f"/transactions/{refund}", with_payload="true")
    found = TransactionDetail.model_validate_json(answer.text)
    [header] = sales.marts(f"transaction_id = '{refund}'")
    items = sales.marts(f"transaction_id = '{refund}'", "pos_transaction_items")
    payments = sales.marts(f"transaction_id = '{refund}'", "pos_transaction_payments")
    assert len(found.items) == len(items) == header["item_count"] > 0
    assert {each.external_payment_id for each in found.payments} == {
        each["external_payment_id"] for each in payments
    }
    streams = {each.stream: each for each in found.documents}
    assert {"orders", "refunds"} <= streams.keys()
    assert streams["orders"].external_id == header["external_order_id"]
    assert streams["refunds"].payload["order_id"] == header["external_order_id"]
    received = [each.received_at for each in found.documents]
    assert received == sorted(received, reverse=True)
    assert found.has_all_documents


def test_every_version_is_in_the_history_newest_first(
    sales: Sales, sandbox: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A number that no binary float holds goes out as it came in.
    _land(sales, sandbox, version=1, note_number=0.1)
    _land(sales, sandbox, version=2, updated_at="2026-04-12T10:00:00Z")
    sales.project.normalise()
    path = f"/transactions/{_id(sales, 'A')}"
    plain = sales.get(path).json()["documents"]
    assert [each["external_version"] for each in plain] == [2, 1]
    assert not [each for each in plain if "payload" in each]
    full = sales.get(path, with_payload="true").json()["documents"]
    raw = sales.project.rows(
        "select payload::text as payload, content_hash from raw_square.orders where external_id = 'A'"
    )
    assert {each["content_hash"]: each["payload"] for each in full} == {
        each["content_hash"]: json.loads(each["payload"]) for each in raw
    }
    assert all(each["payload"] in sales.get(path, with_payload="true").text for each in raw)
    monkeypatch.setattr(service, "_MOST_DOCUMENTS", 1)
    cut = sales.get(path).json()
    assert [each["external_version"] for each in cut["documents"]] == [2]
    assert cut["has_all_documents"] is False


def test_it_is_not_sent_again_until_it_or_its_history_changes(sales: Sales, sandbox: Driver) -> None:
    _land(sales, sandbox, version=1)
    sales.project.normalise()
    path = f"/transactions/{_id(sales, 'A')}"
    tag = sales.get(path).headers["etag"]
    assert sales.get(path, {"If-None-Match": tag}).status_code == 304
    assert sales.get(path, {"If-None-Match": tag}, with_payload="true").status_code == 200
    _land(sales, sandbox, version=2, updated_at="2026-04-12T10:00:00Z")
    landed = sales.get(path, {"If-None-Match": tag})
    assert (landed.status_code, len(landed.json()["documents"])) == (200, 2)
    sales.project.normalise()
    assert sales.get(path, {"If-None-Match": landed.headers["etag"]}).status_code == 200


def test_what_does_not_exist_is_not_found(sales: Sales) -> None:
    missing = sales.get(f"/transactions/{uuid4()}")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    for wrong in ("1", "%00", "x" * 100):
        assert sales.get(f"/transactions/{wrong}").status_code == 422
