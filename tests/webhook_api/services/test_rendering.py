"""Rows as text: exact, readable again, and nothing that a spreadsheet would run."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook_api.services.rendering import csv_text, decimal_text, instant_text, plain, with_member

# What PostgreSQL holds: any text without NUL and lone surrogates.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**13), max_value=10**13))
def test_an_amount_is_exact_and_has_cents(value: Decimal) -> None:
    text = decimal_text(value, 2)
    assert Decimal(text) == value
    assert 2 <= len(text.partition(".")[2]) <= 6
    assert "E" not in text
    assert text == decimal_text(Decimal(text), 2)


@pytest.mark.parametrize(
    ("value", "amount", "quantity"),
    [
        ("12.500000", "12.50", "12.5"), ("0.000000", "0.00", "0"), ("-0.000000", "0.00", "0"),
        ("1200", "1200.00", "1200"), ("0.333333", "0.333333", "0.333333"), ("1E+3", "1000.00", "1000"),
    ],
)  # fmt: skip
def test_amounts_and_quantities(value: str, amount: str, quantity: str) -> None:
    rendered = plain({"net_amount": Decimal(value), "quantity": Decimal(value)})
    assert rendered == {"net_amount": amount, "quantity": quantity}


@given(st.datetimes(timezones=st.timezones(), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))
def test_an_instant_is_in_utc(value: datetime) -> None:
    text = instant_text(value)
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == value.astimezone(UTC)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_csv_can_be_read_back_and_runs_nothing(values: list[tuple[str, str]]) -> None:
    rows = [dict(zip("ab", each, strict=True)) for each in values]
    read = list(csv.reader(io.StringIO(csv_text("ab", rows, header=True), newline="")))
    assert read[0] == ["a", "b"]
    assert [[cell.removeprefix("'") for cell in row] for row in read[1:]] == [list(each) for each in values]
    assert not [cell for row in read[1:] for cell in row if cell.startswith(FORMULAS)]


def test_numbers_below_zero_stay_numbers_in_csv() -> None:
    row = {"total_amount": Decimal("-3.000000"), "is_revenue": True, "name": "-3.00", "closed_at": None}
    assert csv_text(list(row), [row], header=False) == "-3.00,true,'-3.00,\r\n"


def test_a_member_that_is_json_already_stays_as_it_is() -> None:
    text = with_member('{"a":1}', 'b"', '{"exact": 1.10, "deep": [[]]}')
    assert text == '{"a":1,"b\\"":{"exact": 1.10, "deep": [[]]}}'
    assert json.loads(text)['b"'] == {"exact": 1.1, "deep": [[]]}
