"""What holds for any documents: the order they come in changes nothing, and their parts add up exactly."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models.history import History, Row
from tests.models.square_documents import line, location, money, order, return_order
from tests.models.test_models_any_order import PIECES, Batch

quick = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
amount = st.integers(0, 10**12)
small = st.integers(0, 5_000)


@st.composite
def _arrivals(draw: st.DrawFn) -> list[list[Batch]]:
    """Every piece at least once, in any order, some again, cut into batches anywhere."""
    again = draw(st.lists(st.sampled_from(range(len(PIECES))), max_size=4))
    places = draw(st.permutations([*range(len(PIECES)), *again]))
    batches: list[list[Batch]] = [[]]
    for place in places:
        cuts = draw(st.booleans())
        if cuts and batches[-1]:
            batches.append([])
        batches[-1].append(PIECES[place])
    return batches


def test_any_order_and_any_repetition_make_the_same_rows(history: History) -> None:
    """References and their late arrival included, whatever comes together in a batch."""
    for stream, documents in PIECES:
        history.land(stream, documents)
    history.normalise()
    expected = history.marts()

    @quick
    @given(_arrivals())
    def check(batches: list[list[Batch]]) -> None:
        history.clear()
        for batch in batches:
            for stream, documents in batch:
                history.land(stream, documents)
            history.normalise()
        assert history.marts() == expected

    check()


@st.composite
def _lines(draw: st.DrawFn, prefix: str) -> list[Row]:
    made = []
    for number in range(draw(st.integers(1, 5))):
        tax, charge, discount = draw(small), draw(small), draw(small)
        total = draw(amount) + tax + charge
        kind = draw(st.sampled_from(("ITEM", "CUSTOM_AMOUNT", "GIFT_CARD", "MOON_DUST")))
        made.append(
            line(f"{prefix}{number}", total, tax=tax, charge=charge, discount=discount, item_type=kind)
        )
    return made


def _sums(lines: list[Row]) -> dict[str, int]:
    """What the vendor's header says of these lines, in minor units."""
    kinds = ("total", "total_tax", "total_discount", "total_service_charge")
    return {kind: sum(each[f"{kind}_money"]["amount"] for each in lines) for kind in kinds}


@st.composite
def _sales(draw: st.DrawFn) -> tuple[list[Row], int, int, int, list[tuple[str, int, int]]]:
    """Lines, tip, card surcharge, rounding, and service charges (type, total, tax)."""
    charges = draw(
        st.lists(
            st.tuples(st.sampled_from(("AUTO_GRATUITY", "CUSTOM", "MOON_FEE")), amount, small).map(
                lambda each: (each[0], each[1] + each[2], each[2])
            ),
            max_size=3,
        )
    )
    return draw(_lines("l")), draw(amount), draw(small), draw(st.integers(-4, 4)), charges


def _sale(
    name: str, lines: list[Row], tip: int, surcharge: int, rounding: int, charges: list[tuple[str, int, int]]
) -> Row:
    sums = _sums(lines)
    listed = [
        {"uid": f"c{number}", "type": kind, "total_money": money(total), "total_tax_money": money(tax)}
        for number, (kind, total, tax) in enumerate(charges)
    ]
    apportioned = [
        {"uid": f"a{each['uid']}", "type": "CUSTOM", "treatment_type": "APPORTIONED_TREATMENT",
         "total_money": each["total_service_charge_money"]}
        for each in lines
    ]  # fmt: skip
    total = sums["total"] + sum(each[1] for each in charges) + tip + surcharge + rounding
    return order(
        name, lines, tip=tip,
        service_charges=[*listed, *apportioned],
        total_money=money(total),
        total_tax_money=money(sums["total_tax"] + sum(each[2] for each in charges)),
        total_card_surcharge_money=money(surcharge),
        rounding_adjustment={"amount_money": money(rounding)},
    )  # fmt: skip


def _expected(
    lines: list[Row], tip: int, surcharge: int, rounding: int, charges: list[tuple[str, int, int]]
) -> dict[str, Decimal]:
    sums = _sums(lines)
    gifts = _sums([each for each in lines if each["item_type"] == "GIFT_CARD"])
    gift = gifts["total"] - gifts["total_tax"] - gifts["total_service_charge"]
    gratuity = sum(total - tax for kind, total, tax in charges if kind == "AUTO_GRATUITY")
    others = sum(total - tax for kind, total, tax in charges if kind != "AUTO_GRATUITY")
    minor = {
        "net_sales_amount": sums["total"] - sums["total_tax"] - sums["total_service_charge"] - gift,
        "tax_amount": sums["total_tax"] + sum(each[2] for each in charges),
        "tip_amount": tip + gratuity,
        "service_charge_amount": others + sums["total_service_charge"] + surcharge,
        "rounding_amount": rounding,
        "non_sales_amount": gift,
        "discount_amount": sums["total_discount"],
        "residual_amount": 0,
    }
    return {name: Decimal(value).scaleb(-2) for name, value in minor.items()}


def test_the_parts_of_any_sale_add_up_exactly(history: History) -> None:
    """Taxes, discounts, charges of every type, tips, surcharges, rounding and gift cards, in any mixture."""

    @quick
    @given(st.lists(_sales(), min_size=1, max_size=6))
    def check(drawn: list[tuple[list[Row], int, int, int, list[tuple[str, int, int]]]]) -> None:
        history.clear()
        history.land("locations", [location()])
        history.land("orders", [_sale(f"s{number}", *parts) for number, parts in enumerate(drawn)])
        history.normalise()
        for number, parts in enumerate(drawn):
            row = history.transaction(f"s{number}")
            expected = _expected(*parts)
            assert {name: row[name] for name in expected} == expected
            _assert_identity(row)

    check()


def test_a_return_gives_back_exactly_what_it_says(history: History) -> None:
    """Itemised or not, with tax and tip: the parts are the vendor's, negated."""

    @quick
    @given(st.lists(st.tuples(_lines("r"), amount), min_size=1, max_size=6))
    def check(drawn: list[tuple[list[Row], int]]) -> None:
        history.clear()
        history.land("locations", [location()])
        documents = []
        for number, (lines, tip) in enumerate(drawn):
            plain = [each | {"item_type": "ITEM", "total_service_charge_money": money(0)} for each in lines]
            sums = _sums(plain)
            total, tax = sums["total"] + tip, sums["total_tax"]
            documents.append(return_order(f"r{number}", plain, source="s", total=total, tax=tax, tip=tip))
        history.land("orders", documents)
        history.normalise()
        for number, document in enumerate(documents):
            row = history.transaction(f"r{number}")
            stated = document["return_amounts"]
            for column, key in (("total", "total"), ("tax", "tax"), ("tip", "tip")):
                assert row[f"{column}_amount"] == -Decimal(stated[f"{key}_money"]["amount"]).scaleb(-2)
            assert row["residual_amount"] == 0
            _assert_identity(row)

    check()


def _assert_identity(row: Row) -> None:
    parts = ("net_sales", "tax", "service_charge", "tip", "rounding", "non_sales")
    assert row["total_amount"] == sum(row[f"{part}_amount"] for part in parts)
    assert row["gross_sales_amount"] == row["net_sales_amount"] + row["discount_amount"]
