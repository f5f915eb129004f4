"""Guests: names, mail and addresses that belong to nobody."""

from __future__ import annotations

from sandbox.toast.names import Json, guid
from sandbox.world import Merchant

_FIRST = ("Robin", "Kim", "Alex", "Sam", "Jo", "Charlie", "Noa", "Eli")
_LAST = ("Example", "Sample", "Placeholder", "Nobody", "Specimen")


def full_name(person: int) -> str:
    """A guest's name."""
    return f"{_FIRST[person % len(_FIRST)]} {_LAST[person % len(_LAST)]}"


def customer(merchant: Merchant, person: int) -> Json:
    """A guest as a check names them."""
    first, last = full_name(person).split()
    return {
        "guid": guid(merchant, "customer", person),
        "entityType": "Customer",
        "firstName": first,
        "lastName": last,
        "phone": f"20255501{person:02d}",
        "phoneCountryCode": "1",
        "email": f"guest{person}@example.com",
    }


def address(person: int) -> Json:
    """Where an order is delivered to."""
    return {
        "address1": f"{person + 1} Sample Road",
        "city": "Sampleton",
        "state": "NY",
        "zipCode": "00000",
        "country": "US",
        "notes": f"Ring at {full_name(person)}",
        "deliveredDate": None,
        "dispatchedDate": None,
        "deliveryEmployee": None,
        "deliveryState": None,
    }
