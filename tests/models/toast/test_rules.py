"""The traps of the fact sheet that only whole rows show."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.models.history import History, Row
from tests.models.toast.documents import check, order, payment, restaurant, selection


def normalised(history: History, *documents: Row) -> None:
    """Lands orders of the one restaurant and normalises them."""
    history.land("restaurants", [restaurant()])
    history.land("orders", documents)
    history.normalise()


def revenue(history: History) -> list[tuple[Any, ...]]:
    """Name, gross and net sales of what counts."""
    rows = history.query("select * from pos_transactions where is_revenue order by external_id")
    return [(row["external_id"], row["gross_sales_amount"], row["net_sales_amount"]) for row in rows]


def test_waste_and_tests_have_rows_and_no_revenue(history: History) -> None:
    """Trap 9: an order of excess food has its full retail price before discounts."""
    wasted = check("waste", [selection("w", 0, preDiscountPrice=30)], 0)
    normalised(
        history,
        order("o1", [wasted], excessFood=True),
        order("o2", [check("test", [selection("t", 5)], 5)], createdInTestMode=True),
        order("o3", [check("sale", [selection("s", 7)], 7)]),
    )
    assert revenue(history) == [("sale", 7, 7)]
    row = history.transaction("waste")
    assert (row["kind"], row["gross_sales_amount"], row["discount_amount"]) == ("other", 30, 30)
    assert history.transaction("test")["kind"] == "other"


def test_an_unpaid_check_is_open_and_one_paid_in_part_counts_when_it_is_closed(history: History) -> None:
    """Trap 10: Toast's own recipe counts unpaid checks; here they count once they are paid or closed."""
    normalised(
        history,
        order("o1", [check("unpaid", [selection("a", 5)], 5, paymentStatus="OPEN", paidDate=None)]),
        order("o2", [check("part", [selection("b", 9)], 9, payments=[payment("p", 4)])]),
    )
    assert revenue(history) == [("part", 9, 9)]
    assert history.transaction("part")["paid_amount"] == 4
    assert history.transaction("unpaid")["status"] == "open"


def test_tax_that_a_marketplace_pays_is_tax_of_the_check(history: History) -> None:
    """Trap 15: it is inside taxAmount and stays there, whoever remits it."""
    tax = {"taxAmount": 0.7, "facilitatorCollectAndRemitTax": True}
    line = selection("a", 10, tax=0.7, appliedTaxes=[tax])
    normalised(history, order("o", [check("c", [line], 10, tax=0.7)]))
    row = history.transaction("c")
    assert (row["tax_amount"], row["total_amount"]) == (Decimal("0.7"), Decimal("10.7"))
    assert history.items("c")[0]["total_amount"] == Decimal("10.7")


def test_a_change_after_months_restates_its_old_day(history: History) -> None:
    """Trap 18: no day is ever closed; a void of long ago takes the sale out of its own day."""
    sale = check("c", [selection("a", 5)], 5)
    normalised(history, order("o", [sale]))
    before = history.transaction("c")
    late = order("o", [sale | {"voided": True, "amount": 0}]) | {"modifiedDate": "2026-09-30T10:00:00.000Z"}
    history.land("orders", [late])
    history.normalise()
    after = history.transaction("c")
    assert (before["status"], after["status"]) == ("completed", "voided")
    assert before["business_date"] == after["business_date"]
    assert revenue(history) == []


def test_a_voided_line_is_listed_and_adds_nothing(history: History) -> None:
    """Trap 6: in a live check; the amount of the check has dropped with it."""
    lines = [selection("a", 5), selection("b", 3, voided=True, modifiers=[selection("m", 1)])]
    normalised(history, order("o", [check("c", lines, 5)]))
    row = history.transaction("c")
    assert (row["net_sales_amount"], row["residual_amount"], row["item_count"]) == (5, 0, 3)
    voided = [line["external_line_id"] for line in history.items("c") if line["is_voided"]]
    assert voided == ["b", "m"]
    assert history.items("c")[1]["net_amount"] == 3


def test_lines_that_do_not_add_up_are_shown_and_never_spread(history: History) -> None:
    """The vendor's amount is taken as given; what the lines do not explain is the residual."""
    normalised(history, order("o", [check("c", [selection("a", 5)], 6.5)]))
    row = history.transaction("c")
    assert (row["net_sales_amount"], row["residual_amount"]) == (Decimal("6.5"), Decimal("1.5"))
