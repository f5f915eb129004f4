"""Square's lists of values that decide what a document becomes.

Source: Square API, Square-Version 2026-07-15: OrderState, TenderType, TenderCardDetailsStatus,
OrderLineItemItemType, OrderServiceChargeType, OrderLineItemTaxType, RefundStatus, PaymentRefund.
"""

_LINE_TYPES = frozenset({"ITEM", "CUSTOM_AMOUNT", "GIFT_CARD"})
_CHARGE_TYPES = frozenset({"AUTO_GRATUITY", "CUSTOM"})

KNOWN_VALUES = {
    "orders": {
        "state": frozenset({"OPEN", "COMPLETED", "CANCELED", "DRAFT"}),
        "tenders[].type": frozenset(
            {
                "CARD", "CASH", "THIRD_PARTY_CARD", "SQUARE_GIFT_CARD", "NO_SALE", "BANK_ACCOUNT", "WALLET",
                "BUY_NOW_PAY_LATER", "SQUARE_ACCOUNT", "OTHER",
            }
        ),
        "tenders[].card_details.status": frozenset({"AUTHORIZED", "CAPTURED", "VOIDED", "FAILED"}),
        "line_items[].item_type": _LINE_TYPES,
        "returns[].return_line_items[].item_type": _LINE_TYPES,
        "service_charges[].type": _CHARGE_TYPES,
        "returns[].return_service_charges[].type": _CHARGE_TYPES,
        "taxes[].type": frozenset({"UNKNOWN_TAX", "ADDITIVE", "INCLUSIVE"}),
        "refunds[].status": frozenset({"PENDING", "APPROVED", "REJECTED", "FAILED"}),
    },
    "refunds": {
        "status": frozenset({"PENDING", "COMPLETED", "REJECTED", "FAILED"}),
        "destination_type": frozenset(
            {
                "CARD", "BANK_ACCOUNT", "WALLET", "BUY_NOW_PAY_LATER", "CASH", "EXTERNAL", "SQUARE_ACCOUNT",
                "SQUARE_GIFT_CARD", "GIFT_CARD",
            }
        ),
    },
}  # fmt: skip
