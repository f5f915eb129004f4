"""Made-up people and cards: personal data where the vendor has it, to test its stripping."""

from __future__ import annotations

from sandbox.ids import digest, opaque, upper
from sandbox.sales import Tender
from sandbox.square.names import Json
from sandbox.world import Merchant

_FIRST = ("Robin", "Kim", "Alex", "Sam", "Noor", "Jo", "Luca", "Mika")
_LAST = ("Example", "Sample", "Muster", "Placeholder", "Nobody")
_BRANDS = (("VISA", "453275"), ("MASTERCARD", "540988"), ("AMERICAN_EXPRESS", "371263"))


def customer_id(merchant: Merchant, person: int) -> str:
    """Customer id."""
    return upper(26, merchant.seed, "customer", merchant.key, person)


def full_name(person: int) -> str:
    """Nobody's name."""
    return f"{_FIRST[person % len(_FIRST)]} {_LAST[person % len(_LAST)]}"


def email(person: int) -> str:
    """Nobody's address, in a domain kept for examples."""
    return f"{full_name(person).lower().replace(' ', '.')}.{person}@example.com"


def recipient(merchant: Merchant, person: int) -> Json:
    """Who fetches the goods."""
    return {
        "customer_id": customer_id(merchant, person),
        "display_name": full_name(person),
        "email_address": email(person),
        "phone_number": f"+1202555{person + 100:04d}",
        "address": address(merchant, person),
    }


def address(merchant: Merchant, person: int) -> Json:
    """Where nobody lives."""
    return {
        "address_line_1": f"{person + 1} Nowhere Lane",
        "locality": "Exampleton",
        "postal_code": f"{person + 10_000}",
        "country": merchant.market.country,
        "first_name": _FIRST[person % len(_FIRST)],
        "last_name": _LAST[person % len(_LAST)],
    }


def card(merchant: Merchant, tender: Tender) -> Json:
    """The card that a tender was paid with."""
    number = int.from_bytes(digest(merchant.seed, "card", tender.key)[:4])
    if tender.method == "gift_card":
        brand, prefix = "SQUARE_GIFT_CARD", "778301"
    else:
        brand, prefix = _BRANDS[number % len(_BRANDS)]
    return {
        "card_brand": brand,
        "last_4": f"{number % 10_000:04d}",
        "exp_month": number % 12 + 1,
        "exp_year": 2027 + number % 5,
        "cardholder_name": full_name(number % 40).upper(),
        "fingerprint": "sq-1-" + opaque(42, merchant.seed, "fingerprint", number % 977),
        "card_type": "DEBIT" if number % 3 else "CREDIT",
        "prepaid_type": "NOT_PREPAID",
        "bin": prefix,
    }
