"""What Toast tells: the whole order, each time that it changes.

Guests are left out, and so is every external id. Toast repeats twice and only after a time-out, 404, 429 or
5xx: an event that was refused in another way is lost.

Source: Toast developer guide, webhooks: message data schema, orders webhook reference, HTTP headers, message
signing, retry support, timeouts.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import Instant, format_instant
from sandbox.ids import stable_uuid
from sandbox.toast import names
from sandbox.toast.book import Book
from sandbox.toast.documents import order_document
from sandbox.toast.names import Json
from sandbox.toast.records import Order
from sandbox.toast.shelf import encode
from sandbox.webhooks import Habits, Notice, Snapshot, Target

EVENT_TYPE = "order_updated"
RESTAURANT_HEADER = "Toast-Restaurant-External-ID"
_WAITS_SECONDS = (300, 600)
_TIMEOUT_SECONDS = 2
_LAG = 800  # milliseconds from a change to its event
# Who the order is for; null without the scopes that nobody asks for.
_GUESTS = ("customer", "deliveryInfo", "curbsidePickupInfo")


def _headers(target: Target, notice: Notice, body: bytes, attempt: int) -> dict[str, str]:
    """The signature over the body and its time stamp, and what the event is of."""
    message = body + _time_stamp(notice.at).encode()
    digest = hmac.new(target.secret.encode(), message, hashlib.sha256).digest()
    return {
        "Toast-Signature": base64.b64encode(digest).decode(),
        "Toast-Event-Type": notice.event_type,
        "Toast-Event-Category": notice.event_type,
        RESTAURANT_HEADER: notice.location_id,
        "Toast-Attempt-Number": str(attempt),
    }


def _is_repeated(status: int | None) -> bool:
    return status is None or status in (404, 429) or status >= 500


HABITS = Habits(
    headers=_headers,
    waits_seconds=_WAITS_SECONDS,
    timeout_seconds=_TIMEOUT_SECONDS,
    is_repeated=_is_repeated,
)


@dataclass(frozen=True)
class _State:
    """An order at a time; two are the same while nothing has changed it."""

    revision: int
    modified_at: Instant
    order: Order = field(compare=False)


def look(book: Book, first_order: int = 0) -> Snapshot:
    """Every order of a book, from a number on."""
    return {
        order.guid: _State(order.revision, order.modified_at, order) for order in book.orders[first_order:]
    }


def teller(account_id: str) -> Callable[[Snapshot, Snapshot], list[Notice]]:
    """Makes the events of an account."""

    def notices(before: Snapshot, after: Snapshot) -> list[Notice]:
        return [
            _notice(account_id, state)
            for key, state in after.items()
            if isinstance(state, _State) and state != before.get(key)
        ]

    return notices


def _notice(account_id: str, state: _State) -> Notice:
    order = state.order
    restaurant = names.restaurant_guid(order.merchant, order.shop)
    event_id = stable_uuid(order.merchant.seed, "event", order.key, state.revision, state.modified_at)
    body: Json = {
        "timestamp": _time_stamp(state.modified_at),
        "eventCategory": EVENT_TYPE,
        "eventType": EVENT_TYPE,
        "guid": event_id,
        "details": {"restaurantGuid": restaurant, "order": _without_guests(order_document(order))},
    }
    content = encode(body)
    return Notice(event_id, EVENT_TYPE, account_id, restaurant, state.modified_at, lambda _attempt: content)


def _time_stamp(at: Instant) -> str:
    """When the event was made, as the envelope has it: with ``Z``, unlike the order inside."""
    return format_instant(at + _LAG)


def _without_guests(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: None if key in _GUESTS or key == "externalId" else _without_guests(each)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_without_guests(each) for each in value]
    return value
