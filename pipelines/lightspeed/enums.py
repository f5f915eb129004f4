"""Lightspeed's lists of values that decide what an account becomes.

Source: Lightspeed Restaurant K-Series, Financial API V2: Sale, SalesLine, Payment.
"""

KNOWN_VALUES = {
    "sales": {
        "type": frozenset(
            {
                "SALE", "VOID", "RECALL", "REFUND", "SPLIT", "UPDATE", "TRANSFER", "FLOAT", "TRANSITORY",
                "CROSS_BL", "CANCEL",
            }
        ),
        "salesLines[].serviceChargeType": frozenset({"UNTAXED", "APPORTIONED", "NO_SERVICE_CHARGE"}),
        "payments[].type": frozenset({"NORMAL", "ACCOUNTS_RECEIVABLE"}),
    },
}  # fmt: skip
