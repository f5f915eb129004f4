"""Made-up people: staff and customers, to test that personal data is stripped."""

from __future__ import annotations

from sandbox.ids import stable_uuid
from sandbox.lightspeed.names import Json, number_of
from sandbox.world import Merchant, Shop

_FIRST = ("Robin", "Kim", "Alex", "Sam", "Noor", "Jo", "Luca", "Mika")
_LAST = ("Example", "Sample", "Muster", "Placeholder", "Nobody")


def full_name(person: int) -> str:
    """Nobody's name."""
    return f"{_FIRST[person % len(_FIRST)]} {_LAST[person % len(_LAST)]}"


def staff_member(merchant: Merchant, shop: Shop, turn: int) -> tuple[int, str]:
    """Number and name of somebody who works in a shop."""
    person = turn % 3
    return number_of(6, merchant.seed, "staff", shop.key, person), full_name(person + len(shop.key))


def consumer(merchant: Merchant, person: int) -> Json:
    """A customer, in a domain kept for examples."""
    first, last = full_name(person).split()
    return {
        "id": stable_uuid(merchant.seed, "consumer", merchant.key, person),
        "customerId": number_of(6, merchant.seed, "customer", merchant.key, person),
        "firstName": first,
        "lastName": last,
        "phoneNumber1": f"+1202555{person + 100:04d}",
        "addressLine1": f"{person + 1} Nowhere Lane",
        "zipCode": f"{person + 10_000}",
        "city": "Exampleton",
        "email": f"{first.lower()}.{last.lower()}.{person}@example.com",
    }
