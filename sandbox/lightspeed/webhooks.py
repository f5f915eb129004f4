"""What Lightspeed tells: real-time notifications of a till's accounts, in a shape of their own.

An account is told of when it is opened, and when it is closed by an UPDATE and a CLOSE that say the same;
what takes back an account is closed like any other. Amounts are JSON numbers and times milliseconds. How
often a notification is repeated is documented nowhere; that it is, its counter shows. Changes by the back
office have no notification.

Source: K-Series developer documents, real-time notifications; notifications recorded from live tills.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.clock import SECOND, Instant
from sandbox.ids import stable_uuid
from sandbox.lightspeed import staff
from sandbox.lightspeed.accounts import Account, Line, Payment
from sandbox.lightspeed.book import Book
from sandbox.lightspeed.documents import METHODS
from sandbox.lightspeed.names import (
    MICRO_PLACES,
    Json,
    device_name,
    encode,
    location_id,
    number_of,
)
from sandbox.pricing import WHOLE
from sandbox.webhooks import Habits, Notice, Snapshot, Target

_WAITS_SECONDS = (60, 300, 900)
_TIMEOUT_SECONDS = 10


def _headers(target: Target, notice: Notice, body: bytes, attempt: int) -> dict[str, str]:
    """Basic authentication, which is all there is."""
    return {"Authorization": f"Basic {base64.b64encode(target.secret.encode()).decode()}"}


HABITS = Habits(
    headers=_headers,
    waits_seconds=_WAITS_SECONDS,
    timeout_seconds=_TIMEOUT_SECONDS,
    is_repeated=lambda status: True,
)


@dataclass(frozen=True)
class _State:
    """An account at a time; two are the same while nothing of it has changed."""

    is_cancelled: bool
    account: Account = field(compare=False)


def look(book: Book, now: Instant, first_account: int = 0) -> Snapshot:
    """Every account that the vendor has by now, from a number on.

    A till that is off line notifies nobody, nor does the back office.
    """
    return {
        account.key: _State(account.is_cancelled, account)
        for account in book.accounts[first_account:]
        if account.available_at <= now and account.closed_at == account.dated_at
    }


def teller(account_id: str) -> Callable[[Snapshot, Snapshot], list[Notice]]:
    """Makes the notifications of a business."""

    def notices(before: Snapshot, after: Snapshot) -> list[Notice]:
        found: list[Notice] = []
        for key, state in after.items():
            if isinstance(state, _State) and key not in before:
                found += _closed(account_id, state.account)
            elif isinstance(state, _State) and state != before[key]:
                found.append(_notice(account_id, state.account, "UPDATE", state.account.closed_at))
        return found

    return notices


def _closed(account_id: str, account: Account) -> list[Notice]:
    """An account that was opened and closed."""
    at = max(account.closed_at, account.available_at)
    opened = _notice(account_id, account, "OPEN", account.opened_at)
    return [opened, *(_notice(account_id, account, kind, at) for kind in ("UPDATE", "CLOSE"))]


def _notice(account_id: str, account: Account, kind: str, at: Instant) -> Notice:
    location = location_id(account.merchant, account.shop)
    told = _account(account, is_open=kind == "OPEN")
    event_id = stable_uuid(account.merchant.seed, "event", account.key, kind, at, account.is_cancelled)

    def body(attempt: int) -> bytes:
        return encode(
            {
                "notificationType": kind,
                "account": told,
                "event": None,
                "retryCounter": attempt - 1,
                "businessLocationId": location,
            }
        )

    return Notice(event_id, kind, account_id, str(location), at, body)


def _account(account: Account, *, is_open: bool) -> Json:
    """The account; while it is open it has neither lines nor payments, nor an end."""
    lines = () if is_open else account.body.lines
    payments = () if is_open else account.body.payments
    has_receipt = bool(payments) and not is_open
    closed_at = None if is_open else account.closed_at
    person = _person(account)
    return {
        "id": _number(account, "account"),
        "uuid": None,
        "businessLocationId": location_id(account.merchant, account.shop),
        "name": f"Order {account.number % 90 + 1}",
        "accountNumber": account.fiscal_id,
        "originAccountNumber": (account.initial or account).fiscal_id,
        "type": account.kind,
        "currencyCode": account.merchant.market.currency,
        **_device(account),
        **person,
        "openDate": account.opened_at,
        "closeDate": closed_at,
        "updateDate": account.opened_at if closed_at is None else closed_at,
        "paidAmount": _minor(sum(each.amount_minor for each in payments)),
        "totalAmount": _micro(sum(each.total_micro for each in lines)),
        "coverCount": account.body.covers,
        "gratuityAmount": _minor(sum(each.tip_minor for each in payments)),
        "receiptNumber": f"R{account.device}.{account.number + 1}" if has_receipt else None,
        "cancelled": account.is_cancelled,
        "accountProfileCode": "DIRECTE",
        "transactionLines": [_line(account, each) for each in lines],
        "paymentLines": [_payment(account, each) for each in payments],
        "discounts": [],
        "externalReferences": [],
        "deliveryInformation": None,
        "consumerRecord": None,
        "currentProductionPhase": 0,
        "currentInsertionPhase": 0,
        "accountObjectId": None,
        "status": "open" if is_open else "closed",
    }


def _line(account: Account, line: Line) -> Json:
    total = _micro(line.total_micro)
    tax = line.taxes[0].tax if line.taxes else None
    return {
        "id": _number(account, "line", line.number),
        "parentLineId": None if line.parent is None else _number(account, "line", line.parent),
        "accountId": _number(account, "account"),
        "currencyCode": None,
        "amount": total,
        "unitAmount": _minor(line.menu_minor),
        "quantity": Decimal(line.quantity) / WHOLE,
        **_person(account),
        "nameOverride": line.name_override,
        "itemDescription": line.name,
        "accountingGroupId": str(number_of(13, account.merchant.seed, "group", line.category)),
        "accountingGroupName": line.category,
        "itemId": _number(account, "item", line.name),
        "itemSku": line.sku,
        "date": min(account.opened_at + line.number * SECOND, account.closed_at),
        "active": True,
        **_device(account),
        "activeTax": None
        if tax is None
        else {
            "code": tax.key,
            "description": tax.name,
            "rate": Decimal(100_000 + tax.rate).scaleb(-5).normalize(),
            "taxIncluded": tax.is_inclusive,
        },
        "subLines": [],
        "discounts": [],
        "tags": "",
    }


def _payment(account: Account, payment: Payment) -> Json:
    method = payment.method
    return {
        "id": _number(account, "payment", payment.number),
        "accountId": _number(account, "account"),
        "currencyCode": account.merchant.market.currency,
        "gratuityAmount": _minor(payment.tip_minor),
        "amount": _minor(payment.amount_minor),
        **_person(account),
        "date": account.closed_at - 70,
        "active": True,
        "paymentMethod": method,
        "paymentMethodDescription": None if method is None else METHODS[method],
        **_device(account),
        "externalReference": None,
    }


def _person(account: Account) -> Json:
    number, name = staff.staff_member(account.merchant, account.shop, account.number)
    return {"staffId": number, "staffName": name, "staffEmail": None}


def _device(account: Account) -> Json:
    return {"deviceId": account.device, "deviceName": device_name(account.place), "deviceIp": None}


def _number(account: Account, *what: object) -> int:
    return number_of(14, account.merchant.seed, "rtn", account.key, *what)


def _minor(minor: int) -> Decimal:
    return Decimal(minor).scaleb(-2)


def _micro(micro: int) -> Decimal:
    return Decimal(micro).scaleb(-MICRO_PLACES)
