"""Accounts as the newer API tells them.

Source: K-Series Financial API V2 (OpenAPI 1.0.0, read in 2026-11), Sale, Line, Payment; live answers
of V1 for decimals that come as numbers or as empty text.
"""

from __future__ import annotations

from collections.abc import Set
from decimal import Decimal

from sandbox.clock import SECOND
from sandbox.ids import chance
from sandbox.lightspeed import staff
from sandbox.lightspeed.accounts import Account, Line, Payment, TaxShare
from sandbox.lightspeed.names import (
    PER_MINOR,
    Json,
    device_name,
    location_id,
    micro_text,
    minor_text,
    number_of,
    quantity_text,
    rate_multiplier,
    rate_percentage,
    reference,
    time_text,
)
from sandbox.pricing import divide_half_even

INCLUDES = frozenset(
    ("staff", "table", "consumer", "payments", "revenue_center", "account_profile", "payment_authorization")
)
METHODS = {
    "CASH": "Cash",
    "CARD": "Bank card",
    "VOUCHER": "Meal voucher",
    "GIFTCARD": "Gift card",
    "GOTOGO": "Surprise bag platform",
    "ARHOUSE": "On the house account",
}
_VOIDED = ("VOID", "CANCEL")


class _Decimals:
    """Writes decimals as this line or payment has them: text, a number, or nothing for an optional zero."""

    def __init__(self, *parts: object) -> None:
        draw = chance("decimals", *parts)
        self._is_number = draw < 0.1
        self._is_silent = draw > 0.88

    def write(self, text: str, *, is_optional: bool = False) -> str | Decimal:
        """One decimal."""
        value = Decimal(text)
        if is_optional and self._is_silent and value == 0:
            return ""
        return value if self._is_number else text

    def micro(self, micro: int, *, is_optional: bool = False) -> str | Decimal:
        """An amount from millionths."""
        return self.write(micro_text(micro), is_optional=is_optional)

    def minor(self, minor: int, *, is_optional: bool = True) -> str | Decimal:
        """An amount from hundredths."""
        return self.write(minor_text(minor), is_optional=is_optional)


def sale(account: Account, include: Set[str]) -> Json:
    """One account.

    Args:
        account: what was booked.
        include: of ``INCLUDES``; what is not asked for is left out.
    """
    body, initial = account.body, account.initial or account
    document: Json = {
        "accountReference": account.reference,
        "accountFiscId": account.fiscal_id,
        "receiptId": _receipt(account),
        "source": {"initialAccountId": initial.fiscal_id},
        "salesLines": [_line(account, line, include) for line in body.lines],
        "timeOfOpening": time_text(account.opened_at),
        "timeClosed": time_text(account.closed_at),
        "cancelled": account.is_cancelled,
        "type": account.kind,
        "externalReferences": [],
        "nbCovers": Decimal(body.covers).quantize(Decimal("0.1")),
        "dineIn": body.is_dine_in,
        "deviceId": account.device,
        "deviceName": device_name(account.place),
    }
    if account.previous is not None:
        document["source"]["previousAccountId"] = account.previous.fiscal_id
    if body.external_reference:
        location = location_id(account.merchant, account.shop)
        document["externalReferences"] = [f"TASK:OO-{location}-{body.external_reference}"]
    if "payments" in include:
        document["payments"] = [_payment(account, payment, include) for payment in body.payments]
    if "staff" in include:
        document["ownerId"], document["ownerName"] = _staff(account)
    if "table" in include and body.is_dine_in:
        document["tableNumber"] = str(account.number % 9 + 1)
        document["tableName"] = f"Window, Table {account.number % 9 + 1}"
    if "account_profile" in include:
        document["accountProfileCode"] = "EATIN" if body.is_dine_in else "TAKEAWAY"
    if account.kind in _VOIDED:
        document["voidReason"] = "User Mistake"
    return {key: value for key, value in document.items() if value is not None}


def line_id(account: Account, number: int) -> str:
    """Id of a line, counted through all accounts of a till."""
    return f"S{account.device}.{account.number * 100 + number}"


def _receipt(account: Account) -> str | None:
    """The receipt's number; bills without money, and some others, are not printed."""
    if not account.body.payments or chance(account.merchant.seed, "receipt", account.key) < 0.15:
        return None
    return f"R{account.device}.{account.number + 1}"


def _staff(account: Account) -> tuple[int, str]:
    return staff.staff_member(account.merchant, account.shop, account.number)


def revenue_center(account: Account) -> Json:
    """Where in the shop it was booked."""
    number = number_of(15, account.merchant.seed, "revenue-center", account.shop.key)
    return {"revenueCenter": "Counter", "revenueCenterId": number}


def accounting_group(account: Account, category: str) -> Json:
    """The group that a line's product is booked under."""
    number = number_of(15, account.merchant.seed, "group", account.merchant.key, category)
    code = category[:2].upper()
    return {"accountingGroupId": number, "name": category, "statisticGroup": "Bakery", "code": code}


def _line(account: Account, line: Line, include: Set[str]) -> Json:
    decimals = _Decimals(account.merchant.seed, account.key, line.number)
    document: Json = {
        "id": line_id(account, line.number),
        **_line_amounts(account, line, decimals),
        **_line_taxes(account, line, decimals),
        **_line_discounts(line, decimals),
        "sku": line.sku,
        "name": line.name,
        "nameOverride": line.name_override,
        "statisticGroup": "Bakery",
        "quantity": decimals.write(quantity_text(line.quantity)),
        "accountingGroup": accounting_group(account, line.category),
        "currency": account.merchant.market.currency,
        "tags": ["fresh"] if line.number % 2 else [],
        "categories": [{"category": "default", "value": line.category}],
        "timeOfSale": time_text(min(account.opened_at + line.number * SECOND, account.closed_at)),
        "deviceId": account.device,
        "deviceName": device_name(account.place),
        "voidReason": line.void_reason or None,
    }
    if line.parent is not None:
        document["parentLineId"] = line_id(account, line.parent)
    if "staff" in include:
        document["staffId"], document["staffName"] = _staff(account)
    if "revenue_center" in include:
        document |= revenue_center(account)
    if "account_profile" in include:
        document["accountProfileCode"] = "EATIN" if account.body.is_dine_in else "TAKEAWAY"
    return {key: value for key, value in document.items() if value is not None}


def _line_amounts(account: Account, line: Line, decimals: _Decimals) -> Json:
    """Totals; where tax is on top, the total «with tax» has none and is of no use."""
    with_tax, without = line.net_micro + line.charge_micro, line.net_micro
    if account.merchant.market.is_tax_in_gross:
        with_tax = line.total_micro
        # Cut to cents beside tax lines of six places, so the parts do not add up to the cent.
        if line.has_tax_lines:
            without = divide_half_even(line.net_micro, PER_MINOR) * PER_MINOR
    is_costed = chance(account.merchant.seed, "cost", line.sku) < 0.5
    return {
        "totalNetAmountWithTax": decimals.micro(with_tax),
        "totalNetAmountWithoutTax": decimals.micro(without),
        "menuListPrice": decimals.minor(line.menu_minor, is_optional=False),
        "unitCostPrice": decimals.minor(line.menu_minor // 3) if is_costed else "",
        "serviceCharge": decimals.micro(line.charge_micro, is_optional=True),
        "serviceChargeType": line.charge_type,
        "serviceChargeRate": decimals.write(rate_percentage(line.charge_rate), is_optional=True),
    }


def _line_taxes(account: Account, line: Line, decimals: _Decimals) -> Json:
    """One amount of four places, and beside it, on most lines, each tax with six."""
    rounded = divide_half_even(line.tax_micro, 100) * 100
    rate = sum(share.tax.rate for share in line.taxes)
    document: Json = {
        "taxCode": line.taxes[0].tax.key if line.taxes else "",
        "taxAmount": decimals.micro(rounded, is_optional=True),
        "taxRatePercentage": decimals.write(rate_percentage(rate), is_optional=True),
    }
    if line.has_tax_lines:
        document["taxLines"] = [_tax_line(account, share, decimals) for share in line.taxes]
    return document


def _tax_line(account: Account, share: TaxShare, decimals: _Decimals) -> Json:
    return {
        "taxId": str(number_of(14, account.merchant.seed, "tax", account.merchant.key, share.tax.key)),
        "taxCode": share.tax.key,
        "taxRate": decimals.write(rate_multiplier(share.tax.rate)),
        "taxAmount": decimals.micro(share.micro),
        "taxIncluded": share.tax.is_inclusive,
    }


def _line_discounts(line: Line, decimals: _Decimals) -> Json:
    document: Json = {
        "discountAmount": decimals.minor(line.line_discount_minor),
        "accountDiscountAmount": decimals.minor(line.account_discount_minor),
        "totalDiscountAmount": decimals.minor(line.discount_minor),
    }
    for prefix, code in (("discount", line.line_discount), ("accountDiscount", line.account_discount)):
        if code:
            document |= {f"{prefix}Type": "DISCOUNT", f"{prefix}Code": code, f"{prefix}Name": code.title()}
    return document


def _payment(account: Account, payment: Payment, include: Set[str]) -> Json:
    parts = (account.merchant.seed, account.key, "payment", payment.number)
    decimals = _Decimals(*parts)
    draw = chance("payment", *parts)
    document: Json = {
        "netAmountWithTax": decimals.minor(payment.amount_minor, is_optional=False),
        "currency": account.merchant.market.currency,
        "tip": decimals.minor(payment.tip_minor),
        "surcharge": decimals.minor(payment.surcharge_minor),
        "type": "ACCOUNTS_RECEIVABLE" if payment.is_receivable else "NORMAL",
        # Text in the vendor's document, a number in what it answers.
        "deviceId": account.device if draw < 0.4 else str(account.device),
        "deviceName": device_name(account.place),
        "fiscId": f"T{account.device}.{account.number * 10 + payment.number}",
        "uuid": reference("payment", *parts),
        "fiscDate": time_text(account.closed_at - 70),
    }
    if payment.method is not None:
        document |= {
            "code": payment.method,
            "description": METHODS[payment.method],
            "paymentMethodId": method_id(account, payment.method),
        }
    if payment.rounding_minor or draw < 0.7:
        document["roundingAmount"] = decimals.minor(payment.rounding_minor)
    if "staff" in include:
        document["staffId"], document["staffName"] = _staff(account)
    if "revenue_center" in include:
        document |= revenue_center(account)
    if "payment_authorization" in include and payment.method == "CARD":
        document["authorization"] = str(number_of(6, "authorization", *parts))
    if "consumer" in include and payment.person is not None:
        document["consumer"] = staff.consumer(account.merchant, payment.person)
    return document


def method_id(account: Account, code: str) -> int:
    """Number of a payment method in one chain."""
    return number_of(15, account.merchant.seed, "method", account.merchant.key, code)
