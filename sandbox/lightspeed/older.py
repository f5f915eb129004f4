"""Accounts as the older API tells them: original dates, other spellings, no cash rounding.

Source: K-Series Financial API V1 (OpenAPI 1.0.0, read in 2026-11), SaleDto; live answers of V1, which
spell the times ``timeOfOpening`` and ``timeOfCloseAndPaid``.
"""

from __future__ import annotations

from collections.abc import Set

from sandbox.lightspeed.accounts import Account
from sandbox.lightspeed.chains import place_of
from sandbox.lightspeed.documents import sale
from sandbox.lightspeed.names import Json, time_text

# As the vendor's document spells them, and as its live answers do.
_SPELLINGS = (
    ("timeofOpening", "timeofCloseAndPaid", "timeofSale"),
    ("timeOfOpening", "timeOfCloseAndPaid", "timeOfSale"),
)
# The reasons that this API knows; what people typed is not among them.
_REASONS = frozenset(
    ("Broken", "Cooking", "Other", "Taste", "Unhappy Client", "User Mistake", "Waited too long")
)


def older_sale(account: Account, include: Set[str]) -> Json:
    """One account; ``include`` as for the newer API."""
    opening, closing, selling = _SPELLINGS[place_of(account.merchant) % 2]
    document = sale(account, include)
    del document["timeClosed"], document["timeOfOpening"]
    document[opening] = time_text(min(account.opened_at, account.dated_at))
    document[closing] = time_text(account.dated_at)
    for line in document["salesLines"]:
        line[selling] = line.pop("timeOfSale")
        if line.get("voidReason", "Other") not in _REASONS:
            line["voidReason"] = "Other"
    for payment in document.get("payments", []):
        payment.pop("roundingAmount", None)
    return document
