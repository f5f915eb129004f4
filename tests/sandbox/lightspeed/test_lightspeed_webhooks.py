"""Lightspeed's notifications: the shape of one that was recorded, and which accounts are told of."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.hosting import ROOT
from sandbox.lightspeed.driver import Driver
from tests.sandbox.hooked import hooked

REFERENCE = Path(os.environ.get("POS_VENDOR_REFERENCE", ROOT.parent / "shared"))
RECORDED = REFERENCE / "vendor_payloads" / "lightspeed" / "rtn_update_closed_cafe_cash_sale.json"
PEOPLE = "deviceId deviceName deviceIp staffId staffName staffEmail"
SHAPE = {
    "": "notificationType account event retryCounter businessLocationId",
    "account": f"""
        id uuid businessLocationId name accountNumber currencyCode openDate closeDate paidAmount totalAmount
        coverCount gratuityAmount receiptNumber cancelled accountProfileCode transactionLines paymentLines
        discounts externalReferences deliveryInformation consumerRecord currentProductionPhase
        currentInsertionPhase accountObjectId status {PEOPLE}
    """,
    "account.transactionLines": f"""
        id parentLineId accountId currencyCode amount unitAmount quantity nameOverride itemDescription
        accountingGroupId accountingGroupName itemId itemSku date active activeTax subLines discounts tags
        {PEOPLE}
    """,
    "account.transactionLines.activeTax": "code description rate taxIncluded",
    "account.paymentLines": f"""
        id accountId currencyCode gratuityAmount amount date active paymentMethod paymentMethodDescription
        externalReference {PEOPLE}
    """,
}
# Told by other recorded notifications.
NEWER = {"account type", "account originAccountNumber", "account updateDate"}
# What a sandbox's till does not have.
NOT_SENT = {"account.deliveryInformation"}
Notification = dict[str, Any]


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Every key inside a notification with the path of what it is in."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict):
            for key, inner in each.items():
                yield f"{path} {key}".strip()
                yield from keys(inner, f"{path}.{key}".lstrip("."))


def expected_keys() -> set[str]:
    """The keys of the recorded notification where it is at hand, else those that we have written down."""
    ours = {f"{path} {key}".strip() for path, names in SHAPE.items() for key in names.split()}
    if not RECORDED.exists():
        return ours
    recorded = set(keys(json.loads(RECORDED.read_text(encoding="utf-8"))))
    recorded = {each for each in recorded if each.rpartition(" ")[0] not in NOT_SENT}
    assert recorded == ours
    return recorded


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[list[dict[str, Any]], list[str], list[Notification], dict[str, Any]]]:
    """A round of edits and some sales, as they were told, and all sales as the API answers them."""
    with hooked(only="lightspeed") as world:
        world.listen("lightspeed")
        edited = world.edit()
        sold = world.sell("lightspeed", 4)
        world.journal()
        driver = Driver(world.url)
        sales: dict[str, Any] = {}
        for account in range(len(world.accounts)):
            driver.refresh(account).raise_for_status()
            sales.update(driver.sales(account))
        driver.http.close()
        yield edited, sold, world.bodies(), sales


def test_notifications_have_the_shape_of_the_recorded_one(told: Any) -> None:
    found = {each for notification in told[2] for each in keys(notification)}
    assert found == expected_keys() | NEWER


def test_numbers_are_numbers_and_times_are_milliseconds(told: Any) -> None:
    for notification in told[2]:
        account = notification["account"]
        assert isinstance(account["openDate"], int)
        assert account["openDate"] > 10**12
        assert (account["closeDate"] is None) is (account["status"] == "open")
        for line in account["transactionLines"]:
            assert isinstance(line["amount"], int | float)
            assert isinstance(line["quantity"], int | float)


def test_what_was_sold_is_told_as_opened_updated_and_closed(told: Any) -> None:
    _, sold, notifications, sales = told
    numbers = {sales[key]["accountFiscId"] for key in sold}
    by_account: dict[str, list[Notification]] = {}
    for each in notifications:
        by_account.setdefault(each["account"]["accountNumber"], []).append(each)
    for number in numbers:
        kinds = [each["notificationType"] for each in by_account[number]]
        assert kinds == ["OPEN", "UPDATE", "CLOSE"]
        opened, updated, closed = (each["account"] for each in by_account[number])
        assert updated == closed
        assert (opened["status"], opened["transactionLines"]) == ("open", [])
        assert closed["status"] == "closed"


def test_tills_tell_and_the_back_office_does_not(told: Any) -> None:
    edited, _, notifications, sales = told
    created = {key for each in edited for key in each["created"]}
    names = {key: sale["accountFiscId"] for key, sale in sales.items()}
    told_of = {each["account"]["accountNumber"] for each in notifications}
    assert told_of <= set(names.values())
    silent = {key for key in created if names[key] not in told_of}
    assert silent
    assert all(sales[key]["deviceName"] == "BackOffice" for key in silent)
    assert len(silent) < len(created) / 2
