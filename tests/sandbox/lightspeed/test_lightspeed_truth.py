"""What was booked against what is answered: two computations that share only the accounts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.clock import parse_instant
from sandbox.engine import Options
from sandbox.lightspeed.chains import CHAINS
from sandbox.lightspeed.driver import Driver, serving

Pair = tuple[dict[str, Any], dict[str, Any]]
CENT = Decimal("0.01")
AMOUNTS = ("net_sales", "tax", "service_charge", "tip", "rounding", "non_sales")


@pytest.fixture(scope="module")
def books() -> Iterator[list[list[Pair]]]:
    """Per market, every sale after two rounds of edits, beside what the truth says of it."""
    with serving(Options(merchants=2, orders=1_200)) as driver:
        for _ in range(2):
            driver.edit()
        found: list[list[Pair]] = []
        for account in range(2):
            truth, sales = driver.truth(account), driver.sales(account)
            assert set(truth) == set(sales)
            found.append([(sale, truth[key]) for key, sale in sales.items()])
        yield found


@pytest.fixture(scope="module")
def pairs(books: list[list[Pair]]) -> list[Pair]:
    """Both markets."""
    return [pair for book in books for pair in book]


def number(value: str | int | Decimal | None) -> Decimal:
    """A decimal of the vendor's, whether text, number, empty or absent."""
    return Decimal(0) if value is None or value == "" else Decimal(value)


def total(documents: list[Any], *names: str) -> Decimal:
    """Sum of some fields of some documents."""
    return sum((number(each.get(name)) for each in documents for name in names), Decimal(0))


def taxes(line: dict[str, Any]) -> Decimal:
    """A line's tax: by tax lines where there are any, else as one amount."""
    if "taxLines" in line:
        return total(line["taxLines"], "taxAmount")
    return number(line["taxAmount"])


def test_every_row_fulfils_the_identities(pairs: list[Pair]) -> None:
    assert len(pairs) > 1_100
    for _, row in pairs:
        assert sum(Decimal(row[f"{name}_amount"]) for name in AMOUNTS) == Decimal(row["total_amount"])
        gross = Decimal(row["net_sales_amount"]) + Decimal(row["discount_amount"])
        assert gross == Decimal(row["gross_sales_amount"])


def test_totals_follow_from_the_answers_by_the_markets_own_rule(books: list[list[Pair]]) -> None:
    for is_inclusive, book in zip((True, False), books, strict=True):
        for sale, row in book:
            lines, payments = sale["salesLines"], sale["payments"]
            tax = sum((taxes(line) for line in lines), Decimal(0))
            charge = total(lines, "serviceCharge")
            if is_inclusive:
                goods = total(lines, "totalNetAmountWithTax") - tax - charge
            else:
                goods = total(lines, "totalNetAmountWithoutTax")
            assert goods == Decimal(row["net_sales_amount"]), sale["accountFiscId"]
            assert tax == Decimal(row["tax_amount"])
            assert charge + total(payments, "surcharge") == Decimal(row["service_charge_amount"])
            assert total(payments, "tip") == Decimal(row["tip_amount"])
            assert total(payments, "roundingAmount") == Decimal(row["rounding_amount"])
            assert total(lines, "totalDiscountAmount") == Decimal(row["discount_amount"])
            assert total(lines, "discountAmount", "accountDiscountAmount") == Decimal(row["discount_amount"])
            paid = total(payments, "netAmountWithTax", "tip", "surcharge")
            assert Decimal(row["paid_amount"]) == (paid if row["status"] == "completed" else 0)
            assert (row["item_count"], row["payment_count"]) == (len(lines), len(payments))


def test_paid_accounts_are_paid_to_the_cent(pairs: list[Pair]) -> None:
    checked = 0
    for sale, row in pairs:
        if row["is_revenue"] and sale["payments"]:
            # A cent is what a customer can pay; taxes have parts of it.
            difference = Decimal(row["paid_amount"]) - Decimal(row["total_amount"])
            assert abs(difference) <= CENT / 2, sale["accountFiscId"]
            checked += 1
    assert checked > 1_000


def test_taxes_have_parts_of_a_cent_and_are_kept(pairs: list[Pair]) -> None:
    places = Counter(len(row["tax_amount"].rstrip("0").partition(".")[2]) for _, row in pairs)
    assert places[6] > 100


def test_corrections_name_the_account_they_go_back_to(pairs: list[Pair]) -> None:
    names = {sale["accountFiscId"]: row["external_id"] for sale, row in pairs}
    linked = 0
    for sale, row in pairs:
        source = sale["source"]
        if source["initialAccountId"] == sale["accountFiscId"]:
            assert "previousAccountId" not in source
            assert row["parent_external_id"] is None
        else:
            assert row["parent_external_id"] == names[source["initialAccountId"]]
            assert source["previousAccountId"] in names
            linked += source["previousAccountId"] != source["initialAccountId"]
    assert linked > 10


def test_kinds_states_and_revenue_follow_from_type_and_flag(pairs: list[Pair]) -> None:
    kinds = {"SALE": "sale", "REFUND": "return", "FLOAT": "other", "TRANSITORY": "other", "TASTING": "other"}
    for sale, row in pairs:
        assert row["kind"] == kinds.get(sale["type"], "adjustment")
        is_canceled = sale["cancelled"] or sale["type"] == "CANCEL"
        assert row["status"] == ("canceled" if is_canceled else "completed")
        assert row["is_revenue"] is (row["kind"] != "other" and not is_canceled)


def test_what_takes_back_and_books_again_adds_up_to_nothing(pairs: list[Pair]) -> None:
    def sums(kind: str) -> Decimal:
        rows = [row for sale, row in pairs if sale["type"] == kind]
        assert len(rows) >= 2, kind
        return sum((Decimal(row["net_sales_amount"]) for row in rows), Decimal(0))

    assert sums("TRANSFER") == sums("UPDATE") == sums("SPLIT") == sums("TRANSITORY") == 0
    assert sums("RECALL") > 0
    assert sums("REFUND") < 0
    assert sums("VOID") < 0


def test_a_correction_at_another_shop_moves_the_sale(shared: Driver) -> None:
    sales = {sale["accountFiscId"]: sale for sale in shared.sales(1).values()}
    rows = shared.truth(1)
    moved = [sale for sale in sales.values() if sale["type"] == "CROSS_BL"]
    assert len(moved) == 2
    shops = {rows[sale["accountReference"]]["external_location_id"] for sale in moved}
    assert len(shops) == 2
    assert len({sale["source"]["initialAccountId"] for sale in moved}) == 1


def test_drawer_money_is_paid_but_no_sale(pairs: list[Pair]) -> None:
    floats = [row for sale, row in pairs if sale["type"] == "FLOAT"]
    assert {Decimal(row["paid_amount"]) > 0 for row in floats} == {True, False}
    assert all(Decimal(row["total_amount"]) == 0 and row["item_count"] == 0 for row in floats)


def test_the_vendors_traps_are_there(pairs: list[Pair]) -> None:
    sales = [sale for sale, _ in pairs]
    lines = [line for sale in sales for line in sale["salesLines"]]
    payments = [payment for sale in sales for payment in sale["payments"]]
    types = {"SALE", "REFUND", "RECALL", "UPDATE", "VOID", "SPLIT", "TRANSFER", "CANCEL", "FLOAT",
             "TRANSITORY", "TASTING"}  # fmt: skip
    assert {sale["type"] for sale in sales} == types
    assert {line["serviceChargeType"] for line in lines} == {"UNTAXED", "APPORTIONED", "NO_SERVICE_CHARGE"}
    assert {payment["type"] for payment in payments} == {"NORMAL", "ACCOUNTS_RECEIVABLE"}
    assert {type(payment["deviceId"]) for payment in payments} == {int, str}
    assert any("code" not in payment for payment in payments)
    roundings = [number(payment.get("roundingAmount")) for payment in payments]
    assert min(roundings) < 0 < max(roundings)
    assert any("accountReference" not in sale for sale in sales)
    assert any("receiptId" not in sale for sale in sales)
    assert any(sale["nbCovers"] < 0 for sale in sales)
    assert any(not sale["salesLines"] for sale in sales)
    children = [line for line in lines if "parentLineId" in line]
    assert {number(line["totalNetAmountWithoutTax"]) == 0 for line in children} == {True, False}
    assert any(number(line["quantity"]) % 1 for line in lines)
    assert any("voidReason" in line and number(line["quantity"]) < 0 for line in lines)
    assert any("voidReason" in line and number(line["totalNetAmountWithTax"]) == 0 for line in lines)
    assert any("taxLines" not in line and number(line["taxAmount"]) for line in lines)
    assert any(line["nameOverride"] for line in lines)
    assert any(number(line["discountAmount"]) and number(line["accountDiscountAmount"]) for line in lines)
    assert {type(line["quantity"]) for line in lines} == {str, Decimal}
    assert any(line["serviceCharge"] == "" for line in lines)
    assert any(number(payment["surcharge"]) for payment in payments)


def test_included_taxes_are_of_one_market_and_taxes_on_top_of_the_other(books: list[list[Pair]]) -> None:
    for is_inclusive, book in zip((True, False), books, strict=True):
        lines = [line for sale, _ in book for line in sale["salesLines"]]
        assert {tax["taxIncluded"] for line in lines for tax in line.get("taxLines", [])} == {is_inclusive}
        # The vendor's total without tax is cut to cents in the one and of use in the other.
        differs = [
            line
            for line in lines
            if number(line["totalNetAmountWithTax"]) - taxes(line) - number(line["serviceCharge"])
            != number(line["totalNetAmountWithoutTax"])
        ]
        assert differs


def test_days_are_cut_at_the_shops_hour(books: list[list[Pair]]) -> None:
    dates = {sale["timeClosed"]: row["business_date"] for sale, row in books[0]}
    before = [time for time in dates if time.endswith("T03:29:59.999Z")]
    at_start = [time for time in dates if time.endswith("T03:30:00Z")]
    assert before
    assert at_start
    for time in before:
        assert dates[time] < time[:10]
    for time in at_start:
        assert dates[time] == time[:10]


def test_days_are_the_sum_of_their_revenue(shared: Driver) -> None:
    truth = shared.http.get("/_sandbox/truth").json()
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in truth["transactions"]:
        if row["is_revenue"]:
            sums[row["external_location_id"], row["business_date"]] += Decimal(row["total_amount"])
    days = {
        (day["external_location_id"], day["business_date"]): Decimal(day["total_amount"])
        for day in truth["days"]
    }
    assert days == dict(sums)
    assert len(days) > 50


def test_control_totals_are_the_revenue_of_the_day(shared: Driver) -> None:
    """The older API dates office work to its original day, so days are compared over the whole book."""
    for account in (0, 1):
        for location in shared.locations(account):
            path = f"/f/finance/{location}/aggregatedSales"
            query = {"from_": shared.earliest(account, location), "to": shared.now()}
            answer = shared.get(path, account, groupBy="accountingGroup,deviceId", **query).json()
            rows = [row for row in shared.truth(account).values()
                    if row["is_revenue"] and row["external_location_id"] == location]  # fmt: skip
            tax = sum(Decimal(row["tax_amount"]) for row in rows)
            assert abs(Decimal(answer["totalTaxAmount"]) - tax) <= CENT / 2
            assert answer["numberOfSales"] == sum(row["item_count"] for row in rows)
            (groups,) = answer["children"]
            parts = [Decimal(child["totalAmount"]) for child in groups["children"]]
            assert abs(sum(parts) - Decimal(answer["totalAmount"])) <= CENT * len(parts)
            assert groups["children"][0]["children"][0]["groupByKey"] == "deviceId"
    assert shared.get(path, 1, groupBy="weather").status_code == 400
    assert shared.get(path, 1).status_code == 400


def test_the_truth_leaves_out_what_is_still_on_a_till(fresh: Driver) -> None:
    before = set(fresh.truth(0))
    created = set(fresh.edit()[0]["created"])
    assert created
    assert not before & created
    assert created <= set(fresh.truth(0))


def test_the_chains_are_one_of_each_market_with_names_of_their_own() -> None:
    names = [name for scale in CHAINS.values() for name, _, _ in scale]
    assert len(set(names)) == len(names)
    for scale in ("demo", "small"):
        (_, one, shops), (_, other, more) = CHAINS[scale]
        assert (one.currency, one.is_tax_in_gross, len(shops)) == ("EUR", True, 1)
        assert (other.currency, other.is_tax_in_gross, len(more)) == ("USD", False, 2)


def test_sales_are_made_at_night_and_on_the_newest_day(books: list[list[Pair]]) -> None:
    hours = {sale["timeClosed"][11:13] for sale, _ in books[0]}
    assert {"23", "00", "01"} & hours
    newest = max(parse_instant(sale["timeClosed"]) for sale, _ in books[0])
    assert newest > parse_instant("2026-04-13T12:00:00Z")
