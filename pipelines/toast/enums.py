"""Toast's lists of values that decide what an order becomes.

Source: Toast orders API 2.9.0: Order, Check, Selection, Payment, AppliedServiceCharge.
"""

KNOWN_VALUES = {
    "orders": {
        "approvalStatus": frozenset({"NEEDS_APPROVAL", "APPROVED", "FUTURE", "NOT_APPROVED"}),
        "checks[].paymentStatus": frozenset({"OPEN", "PAID", "CLOSED"}),
        "checks[].selections[].selectionType": frozenset(
            {
                "NONE", "OPEN_ITEM", "SPECIAL_REQUEST", "PORTION", "HOUSE_ACCOUNT_PAY_BALANCE",
                "TOAST_CARD_SELL", "TOAST_CARD_RELOAD",
            }
        ),
        "checks[].selections[].taxInclusion": frozenset({"INCLUDED", "NOT_INCLUDED", "INHERITED"}),
        "checks[].appliedServiceCharges[].serviceChargeCategory": frozenset(
            {"SERVICE_CHARGE", "CREDIT_CARD_SURCHARGE", "FUNDRAISING_CAMPAIGN", "CASH_ROUNDING"}
        ),
        "checks[].payments[].type": frozenset(
            {
                "CASH", "CREDIT", "GIFTCARD", "HOUSE_ACCOUNT", "REWARDCARD", "LEVELUP", "TOAST_SV", "OTHER",
                "UNDETERMINED",
            }
        ),
        "checks[].payments[].paymentStatus": frozenset(
            {
                "OPEN", "PROCESSING", "AUTHORIZED_AT_RISK", "AUTHORIZED", "ERROR", "ERROR_NETWORK", "DENIED",
                "PROCESSING_VOID", "VOIDED_AT_RISK", "CANCELLED", "CAPTURE_IN_PROGRESS", "CAPTURED", "VOIDED",
            }
        ),
    },
}  # fmt: skip
