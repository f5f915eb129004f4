"""Payments by the business day on which they were taken, refunded or voided."""

from __future__ import annotations

from typing import Any

from sandbox.toast.driver import Driver

PATH = "/orders/v2/payments"
Payment = dict[str, Any]


def payments_of(driver: Driver) -> list[Payment]:
    """Every payment of a restaurant as its orders list them."""
    orders = driver.orders_of().values()
    return [each for order in orders for check in order["checks"] for each in check["payments"]]


def day_of(payment: Payment, name: str) -> int | None:
    """The business date that a parameter concerns."""
    holder: dict[str, Any] | None = payment
    if name != "paidBusinessDate":
        holder = payment["refund" if name == "refundBusinessDate" else "voidInfo"]
    return None if holder is None else int(holder[name])


def test_payments_are_listed_by_each_of_three_business_dates(grown: Driver) -> None:
    payments = payments_of(grown)
    for name in ("paidBusinessDate", "refundBusinessDate", "voidBusinessDate"):
        days = {day_of(each, name) for each in payments} - {None}
        assert days, name
        for day in sorted(filter(None, days))[:8]:
            parameters: dict[str, Any] = {name: str(day)}
            listed = grown.read(PATH, **parameters)
            assert set(listed) == {each["guid"] for each in payments if day_of(each, name) == day}


def test_one_of_the_dates_is_required(shared: Driver) -> None:
    assert shared.get(PATH).status_code == 400
    assert shared.get(PATH, paidBusinessDate="2026-04-01").status_code == 400
    assert shared.read(PATH, paidBusinessDate="20250101") == []


def test_a_payment_names_its_order_and_its_check(shared: Driver) -> None:
    for key, order in list(shared.orders_of().items())[:12]:
        for check in order["checks"]:
            for payment in check["payments"]:
                answered = shared.read(f"{PATH}/{payment['guid']}")
                assert answered == payment
                assert (answered["orderGuid"], answered["checkGuid"]) == (key, check["guid"])


def test_an_unknown_payment_is_not_found(shared: Driver) -> None:
    assert shared.get(f"{PATH}/00000000-0000-4000-8000-000000000000").status_code == 404
    assert shared.get(f"{PATH}/nonsense").status_code == 400
