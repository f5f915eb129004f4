"""The project's own schemas of the vendor's answers: every key that the sandbox may answer, and its type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
MONEY: Schema = {"type": "number", "multipleOf": Decimal("0.001")}
GUID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$"}
DAY: Schema = {"type": "integer", "minimum": 20_000_101, "maximum": 29_991_231}
NOTHING: Schema = {"type": "null"}


def shape(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object that must have some keys, may have others, and has no more."""
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


def maybe(schema: Schema) -> Schema:
    """What may be null."""
    return {"anyOf": [schema, NOTHING]}


def listed(items: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": items}


def all_of(names: str, schema: Schema) -> dict[str, Schema]:
    """Several keys of one schema."""
    return dict.fromkeys(names.split(), schema)


def entity(*names: str) -> dict[str, Schema]:
    """Identifier and kind."""
    return {"guid": GUID, "entityType": {"enum": list(names)}}


REFERENCE = shape({"guid": GUID, "entityType": TEXT, "externalId": NOTHING})
PLAIN_REFERENCE = shape({"guid": GUID, "entityType": TEXT})
CONFIG_REFERENCE = shape({"guid": GUID, "entityType": TEXT, "externalId": NOTHING, "multiLocationId": TEXT})
DEVICE = shape({"id": maybe(TEXT)})
REFUND_DETAILS = shape(
    {"refundAmount": MONEY, "taxRefundAmount": MONEY, "refundTransaction": PLAIN_REFERENCE}
)
TAX = shape(
    {
        **entity("AppliedTaxRate"),
        "taxRate": PLAIN_REFERENCE,
        "name": TEXT,
        "rate": {"type": "number"},
        "taxAmount": MONEY,
        "type": {"enum": ["PERCENT", "FIXED", "EXTERNAL"]},
        "facilitatorCollectAndRemitTax": TRUTH,
    }
)
DISCOUNT = shape(
    {
        **entity("AppliedCustomDiscount"),
        **all_of("externalId loyaltyDetails appliedPromoCode", NOTHING),
        **all_of("discountAmount nonTaxDiscountAmount", MONEY),
        "name": TEXT,
        "discountType": {"enum": ["PERCENT", "FIXED", "OPEN_FIXED", "BOGO"]},
        "discountPercent": maybe({"type": "number", "minimum": 0, "maximum": 100}),
        "discount": PLAIN_REFERENCE,
        "approver": maybe(REFERENCE),
        "processingState": maybe({"enum": ["VOID"]}),
        "triggers": listed(NOTHING),
        "comboItems": listed(NOTHING),
    }
)
CHARGE = shape(
    {
        **entity("AppliedServiceCharge"),
        **all_of("delivery takeout dineIn gratuity taxable", TRUTH),
        "externalId": NOTHING,
        "name": TEXT,
        "chargeAmount": MONEY,
        "chargeType": {"enum": ["FIXED", "PERCENT", "OPEN"]},
        "serviceCharge": REFERENCE,
        "serviceChargeCalculation": maybe({"enum": ["PRE_DISCOUNT"]}),
        "appliedTaxes": listed(TAX),
        "refundDetails": maybe(REFUND_DETAILS),
        "paymentGuid": maybe(GUID),
    },
    serviceChargeCategory=TEXT,
)
REFUND = shape(
    {"refundAmount": MONEY, "tipRefundAmount": MONEY, "refundDate": TIME, "refundBusinessDate": DAY},
    refundTransaction=PLAIN_REFERENCE,
)
PAYMENT = shape(
    {
        **entity("OrderPayment"),
        **all_of("orderGuid checkGuid", GUID),
        **all_of("externalId cardPaymentId mcaRepaymentAmount", NOTHING),
        **all_of("amount tipAmount", MONEY),
        **all_of("amountTendered originalProcessingFee", maybe(MONEY)),
        **all_of("cardType cardEntryMode", maybe(TEXT)),
        **all_of("houseAccount otherPayment cashDrawer", maybe(REFERENCE)),
        **all_of("lastModifiedDevice createdDevice", DEVICE),
        "type": TEXT,
        "paymentStatus": {"enum": ["AUTHORIZED", "CAPTURED", "VOIDED", "DENIED", "CANCELLED"]},
        "last4Digits": maybe({"type": "string", "pattern": r"^\d{4}$"}),
        "paidDate": TIME,
        "paidBusinessDate": DAY,
        "refundStatus": {"enum": ["NONE", "PARTIAL", "FULL"]},
        "refund": maybe(REFUND),
        "server": REFERENCE,
        "voidInfo": maybe(
            shape(
                {
                    "voidUser": REFERENCE,
                    "voidDate": TIME,
                    "voidBusinessDate": DAY,
                    "voidReason": REFERENCE,
                }
            )
        ),
    }
)
SELECTION = shape(
    {
        **entity("MenuItemSelection"),
        **all_of("externalId preModifier", NOTHING),
        **all_of("item itemGroup optionGroup", maybe(CONFIG_REFERENCE)),
        **all_of("preDiscountPrice price tax", MONEY),
        **all_of("deferred voided", TRUTH),
        **all_of("createdDate modifiedDate", TIME),
        **all_of("salesCategory voidReason", maybe(REFERENCE)),
        "diningOption": REFERENCE,
        "optionGroupPricingMode": maybe({"enum": ["ADJUSTS_PRICE"]}),
        "displayName": TEXT,
        "selectionType": TEXT,
        "quantity": {"type": "number", "exclusiveMinimum": 0},
        "appliedTaxes": listed(TAX),
        "appliedDiscounts": listed(DISCOUNT),
        "modifiers": listed({"$ref": "#/definitions/Selection"}),
        "seatNumber": WHOLE,
        "fulfillmentStatus": {"enum": ["SENT", "READY"]},
        "voidDate": maybe(TIME),
        "voidBusinessDate": maybe(DAY),
    },
    receiptLinePrice=MONEY,
    taxInclusion={"enum": ["INCLUDED", "NOT_INCLUDED", "INHERITED"]},
    unitOfMeasure={"enum": ["NONE", "LB"]},
    refundDetails=maybe(REFUND_DETAILS),
    plu=TEXT,
)
CUSTOMER = shape({**entity("Customer"), **all_of("firstName lastName phone phoneCountryCode email", TEXT)})
CHECK = shape(
    {
        **entity("Check"),
        **all_of("externalId appliedLoyaltyInfo", NOTHING),
        **all_of("voided deleted taxExempt", TRUTH),
        **all_of("amount taxAmount totalAmount", MONEY),
        **all_of("openedDate modifiedDate", TIME),
        **all_of("paidDate closedDate voidDate deletedDate", maybe(TIME)),
        **all_of("lastModifiedDevice createdDevice", DEVICE),
        "displayNumber": TEXT,
        "tabName": maybe(TEXT),
        "paymentStatus": {"enum": ["OPEN", "PAID", "CLOSED"]},
        "voidBusinessDate": maybe(DAY),
        "duration": maybe(WHOLE),
        "customer": maybe(CUSTOMER),
        "payments": listed(PAYMENT),
        "appliedDiscounts": listed(DISCOUNT),
        "appliedServiceCharges": listed(CHARGE),
        "selections": listed({"$ref": "#/definitions/Selection"}),
    },
    createdDate=TIME,
)
DELIVERY = shape(
    {
        **all_of("address1 city state zipCode country notes", TEXT),
        **all_of("deliveredDate dispatchedDate deliveryEmployee deliveryState", NOTHING),
    }
)
ORDER = shape(
    {
        **entity("Order"),
        **all_of("externalId restaurantService serviceArea curbsidePickupInfo", NOTHING),
        **all_of("voided deleted", TRUTH),
        **all_of("openedDate modifiedDate", TIME),
        **all_of("paidDate closedDate voidDate deletedDate promisedDate", maybe(TIME)),
        **all_of("lastModifiedDevice createdDevice", DEVICE),
        **all_of("revenueCenter server table", maybe(REFERENCE)),
        "estimatedFulfillmentDate": maybe(TIME),
        "source": TEXT,
        "voidBusinessDate": maybe(DAY),
        "businessDate": DAY,
        "duration": maybe(WHOLE),
        "requiredPrepTime": TEXT,
        "numberOfGuests": WHOLE,
        "deliveryInfo": maybe(DELIVERY),
        "diningOption": REFERENCE,
        "checks": listed(CHECK),
    },
    createdDate=TIME,
    approvalStatus={"enum": ["APPROVED", "FUTURE", "NEEDS_APPROVAL", "NOT_APPROVED"]},
    createdInTestMode=TRUTH,
    excessFood=TRUTH,
    displayNumber=TEXT,
    appliedPackagingInfo=NOTHING,
    pricingFeatures=listed({"enum": ["TAXESV2", "TAXESV3"]}),
)
GENERAL = shape(
    {
        **all_of("name locationName locationCode timeZone", TEXT),
        "managementGroupGuid": GUID,
        "currencyCode": {"enum": ["USD"]},
        "closeoutHour": {"type": "integer", "minimum": 0, "maximum": 12},
        "firstBusinessDate": DAY,
        "archived": TRUTH,
    }
)
OBJECT: Schema = {"type": "object"}
NAMED = {"guid": GUID, "entityType": TEXT, "name": TEXT}
NUMBER: Schema = {"type": "number"}
SCHEMAS: dict[str, Schema] = {
    "Order": ORDER,
    "Selection": SELECTION,
    "Payment": PAYMENT,
    "RestaurantInfo": shape(
        {
            "guid": GUID,
            "general": GENERAL,
            **all_of("urls location schedules delivery onlineOrdering prepTimes", OBJECT),
        }
    ),
    "Restaurant": shape({"guid": GUID}),
    "PartnerAccessExternalRep": shape(
        {
            **all_of("restaurantGuid managementGroupGuid", GUID),
            **all_of("restaurantName locationName createdByEmailAddress", TEXT),
            **all_of("createdDate modifiedDate", WHOLE),
            **all_of("isoCreatedDate isoModifiedDate", TEXT),
            "deleted": TRUTH,
        }
    ),
    "Discount": shape(
        {
            **NAMED,
            **all_of("active nonExclusive", TRUTH),
            **all_of("type selectionType", TEXT),
            "promoCodes": listed(NOTHING),
        },
        percentage=NUMBER,
        amount=MONEY,
        itemPickingPriority=TEXT,
    ),
    "ServiceCharge": shape(
        {
            **NAMED,
            **all_of("gratuity taxable taxInclusive taxProrated", TRUTH),
            **all_of("amountType destination", TEXT),
            "applicableTaxes": listed(PLAIN_REFERENCE),
        },
        amount=MONEY,
        percent=NUMBER,
        serviceChargeCalculation=TEXT,
    ),
    "SalesCategory": shape(NAMED),
    "DiningOption": shape({**NAMED, "behavior": TEXT, "curbside": TRUTH}),
    "RevenueCenter": shape(NAMED),
    "AlternatePaymentType": shape(NAMED),
    "TaxRate": shape(
        {
            **NAMED,
            **all_of("type roundingType", TEXT),
            **all_of("taxTable conditionalTaxRates", listed(NOTHING)),
            "isDefault": TRUTH,
            "rate": NUMBER,
        }
    ),
    "VoidReason": shape(NAMED),
    "AuthenticationResponse": shape(
        {
            "@class": TEXT,
            "status": {"enum": ["SUCCESS"]},
            "token": shape(
                {
                    **all_of("tokenType accessToken", TEXT),
                    **all_of("scope idToken refreshToken", NOTHING),
                    "expiresIn": WHOLE,
                }
            ),
        }
    ),
    "ErrorMessage": shape(
        {
            **all_of("status code", WHOLE),
            **all_of("message requestId", TEXT),
            **all_of("messageKey fieldName link developerMessage canRetry", NOTHING),
            "errors": listed(NOTHING),
        }
    ),
}
