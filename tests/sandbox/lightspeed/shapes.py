"""The project's own schemas of the vendor's answers: every key that the sandbox may answer, and its type."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
TRUTH: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
DECIMAL: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^(-?\d+(\.\d{1,6})?)?$"}]}
TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$"}
IDENTITY: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9_-]{22}==$"}


def shape(required: dict[str, Schema], **optional: Schema) -> Schema:
    """An object that must have some keys, may have others, and has no more."""
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


def listed(items: Schema) -> Schema:
    """An array."""
    return {"type": "array", "items": items}


CENTER = {"revenueCenter": TEXT, "revenueCenterId": WHOLE}
STAFF = {"staffId": WHOLE, "staffName": TEXT}
TAX_LINE = shape(
    {"taxId": TEXT, "taxCode": TEXT, "taxRate": DECIMAL, "taxAmount": DECIMAL, "taxIncluded": TRUTH}
)
GROUP = shape({"accountingGroupId": WHOLE, "name": TEXT, "statisticGroup": TEXT, "code": TEXT})


def line(time_of_sale: str) -> Schema:
    """A line; the older API spells the time in other ways."""
    amounts = (
        "totalNetAmountWithTax", "totalNetAmountWithoutTax", "menuListPrice", "unitCostPrice",
        "serviceCharge", "serviceChargeRate", "discountAmount", "accountDiscountAmount",
        "totalDiscountAmount", "taxAmount", "taxRatePercentage", "quantity",
    )  # fmt: skip
    charge = {"enum": ["UNTAXED", "APPORTIONED", "NO_SERVICE_CHARGE"]}
    words = ("discountType", "discountCode", "discountName", "accountDiscountType", "accountDiscountCode",
             "accountDiscountName", "sku", "parentLineId", "voidReason", "accountProfileCode")  # fmt: skip
    return shape(
        {
            **dict.fromkeys(amounts, DECIMAL),
            **dict.fromkeys(
                ("id", "name", "nameOverride", "statisticGroup", "currency", "taxCode", "deviceName"), TEXT
            ),
            "serviceChargeType": charge,
            "deviceId": WHOLE,
            time_of_sale: TIME,
            "accountingGroup": GROUP,
            "categories": listed(shape({"category": TEXT, "value": TEXT})),
            "tags": listed(TEXT),
        },
        taxLines=listed(TAX_LINE),
        **dict.fromkeys(words, TEXT),
        **CENTER,
        **STAFF,
    )


CONSUMER = shape(
    {"id": TEXT, "customerId": WHOLE},
    **dict.fromkeys(
        ("firstName", "lastName", "phoneNumber1", "addressLine1", "zipCode", "city", "email"), TEXT
    ),
)
PAYMENT = shape(
    {
        **dict.fromkeys(("netAmountWithTax", "tip", "surcharge"), DECIMAL),
        **dict.fromkeys(("currency", "deviceName", "fiscId", "uuid"), TEXT),
        "type": {"enum": ["NORMAL", "ACCOUNTS_RECEIVABLE"]},
        "deviceId": {"type": ["string", "integer"]},
        "fiscDate": TIME,
    },
    roundingAmount=DECIMAL,
    code=TEXT,
    description=TEXT,
    paymentMethodId=WHOLE,
    authorization=TEXT,
    consumer=CONSUMER,
    **CENTER,
    **STAFF,
)


def sale(opening: str, closing: str, selling: str) -> Schema:
    """An account, with the names of its times."""
    return shape(
        {
            "accountFiscId": TEXT,
            "source": shape({"initialAccountId": TEXT}, previousAccountId=TEXT),
            "salesLines": listed(line(selling)),
            opening: TIME,
            closing: TIME,
            "cancelled": TRUTH,
            "type": TEXT,
            "externalReferences": listed(TEXT),
            "nbCovers": NUMBER,
            "dineIn": TRUTH,
            "deviceId": WHOLE,
            "deviceName": TEXT,
        },
        payments=listed(PAYMENT),
        accountReference=IDENTITY,
        ownerId=WHOLE,
        **dict.fromkeys(
            ("receiptId", "ownerName", "tableNumber", "tableName", "accountProfileCode", "voidReason"), TEXT
        ),
    )


SALE = sale("timeOfOpening", "timeClosed", "timeOfSale")
OLDER_SALE = {
    "anyOf": [
        sale("timeofOpening", "timeofCloseAndPaid", "timeofSale"),
        sale("timeOfOpening", "timeOfCloseAndPaid", "timeOfSale"),
    ]
}
LOCAL_TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT0[45]:[03]0:00[+-]\d\d:\d\d$"}
DAY = {"nextStartOfDayAsIso8601": LOCAL_TIME, "dataComplete": TRUTH}
LINK = shape({"href": TEXT}, templated=TRUTH)
LINKS = shape({"self": LINK}, nextPage=LINK)


def embedded(name: str, document: Schema) -> Schema:
    """A list as the older service wraps it."""
    return shape({"_embedded": shape({name: listed(document)}), "_links": LINKS})


LOCATION = shape(
    {"blName": TEXT, "country": TEXT, "timezone": TEXT},
    blID={"type": "integer", "minimum": 2**32},
    blId={"type": "integer", "minimum": 2**32},
)
BUSINESS = shape(
    {"businessName": TEXT, "businessId": WHOLE, "currencyCode": TEXT, "businessLocations": listed(LOCATION)}
)
TOTALS = dict.fromkeys(("totalAmount", "serviceCharge", "totalDiscountedAmount", "totalTaxAmount"), DECIMAL)
ANSWERS: dict[str, Schema] = {
    "sales": shape({"sales": listed(SALE)}, nextPageToken={"type": ["string", "null"]}),
    "sales-daily": shape({"sales": listed(SALE), **DAY}),
    "financials": shape(
        {"businessName": TEXT, "businessLocationId": WHOLE, "sales": listed(OLDER_SALE),
         "_links": LINKS, **DAY},
        nextPageToken={"type": ["string", "null"]},
    ),
    "businesses": embedded("businessList", BUSINESS),
    "tax-rates": embedded(
        "taxRateList",
        shape({"code": TEXT, "description": TEXT, "rate": NUMBER, "taxIncluded": TRUTH,
               "accountingReference": TEXT}),
    ),
    "paymentMethods": embedded(
        "paymentMethodList", shape({"name": TEXT, "code": TEXT, "accountingReference": TEXT, "pmId": WHOLE})
    ),
    "accountingGroups": embedded("accountingGroupList", GROUP),
    "aggregatedSales": shape(
        {"groupByKey": TEXT, "numberOfSales": WHOLE, "children": listed({"type": "object"}),
         "businessName": TEXT, **TOTALS, **DAY}
    ),
}  # fmt: skip
