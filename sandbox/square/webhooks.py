"""What Square tells: bursts of payments and refunds, pickups, the catalogue, shops, the end of an access.

A sale over the counter publishes no order event; only what is changed in the order manager, here the handing
over of a pickup, does. A payment by card is created approved, then completed, then gets its fee: one sale,
three events.

Source: Square API 2025-08-20, x-webhook, and its examples; developer.squareup.com/docs/webhooks (retries with
growing waits for 24 hours after anything but 2xx) and /docs/webhooks-api/delivery-sla.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

from sandbox.clock import Instant, format_instant
from sandbox.ids import stable_uuid
from sandbox.sales import Refund, Sale, Tender
from sandbox.square import names, payments
from sandbox.square.names import Json
from sandbox.square.streams import encode
from sandbox.trade import NEVER
from sandbox.webhooks import Habits, Notice, Snapshot, Target
from sandbox.world import Merchant, Shop

EVENT_TYPES = (
    "catalog.version.updated",
    "location.created",
    "location.updated",
    "oauth.authorization.revoked",
    "order.created",
    "order.fulfillment.updated",
    "order.updated",
    "payment.created",
    "payment.updated",
    "refund.created",
    "refund.updated",
)
_HOUR = 3_600
_WAITS_SECONDS = (60, 120, 240, 480, 960, 1_920, *(_HOUR,) * 22)
_LAG = 360  # milliseconds from a change to its event


def _headers(target: Target, notice: Notice, body: bytes, attempt: int) -> dict[str, str]:
    """The signature over the registered address and the body, and beside it the older one."""
    message = target.url.encode() + body
    return {
        "x-square-hmacsha256-signature": _signature(target.secret, message, "sha256"),
        "x-square-signature": _signature(target.secret, message, "sha1"),
        "square-initial-delivery-timestamp": format_instant(notice.at + _LAG),
        "user-agent": "Square Connect v2",
    }


HABITS = Habits(
    headers=_headers,
    waits_seconds=_WAITS_SECONDS,
    timeout_seconds=10,
    is_repeated=lambda status: True,
)


def look(merchant: Merchant, first_sale: int = 0) -> Snapshot:
    """Everything that Square tells of, of the sales from a number on."""
    found: dict[str, object] = {}
    for sale in merchant.sales[first_sale:]:
        if sale.available_at == NEVER:
            continue
        for tender in sale.body.tenders:
            if tender.method != "drawer":
                found[names.payment_id(merchant, tender)] = _Payment(sale, tender)
        for given in sale.body.refunds:
            found[names.refund_id(merchant, given)] = _Refund(sale, given)
        if sale.body.pickup is not None:
            found[names.order_id(sale)] = _Pickup(sale)
    if first_sale == 0:
        for shop in merchant.shops:
            found[names.location_id(merchant, shop)] = _Shop(merchant, shop)
        found["catalog"] = _Catalog(merchant)
    return found


def notices(before: Snapshot, after: Snapshot) -> list[Notice]:
    """The events that lead from one look to another."""
    found: list[Notice] = []
    for key, thing in after.items():
        known = before.get(key)
        if isinstance(thing, _Thing) and thing != known:
            found += thing.notices(is_new=known is None)
    return found


def revoked(merchant: Merchant, at: Instant, revoker: str) -> Notice:
    """The end of the application's access to an account.

    Args:
        revoker: ``MERCHANT`` or ``APPLICATION``.
    """
    told = {"revocation": {"revoked_at": _nine_digits(at), "revoker_type": revoker}}
    key = stable_uuid(merchant.seed, "revocation", merchant.key, at)
    return _event(merchant, "oauth.authorization.revoked", "revocation", key, at, told)


def trial_notice(event_type: str, at: Instant) -> Notice:
    """What a subscription's test sends: an event of an account that nobody has."""
    key = stable_uuid("webhook-test", event_type, at)
    body: Json = {
        "merchant_id": "MLTESTMERCHANT",
        "type": event_type,
        "event_id": key,
        "created_at": _nine_digits(at),
        "data": {"type": event_type.rpartition(".")[0].replace(".", "_"), "id": key},
    }
    content = encode(body)
    return Notice(key, event_type, "MLTESTMERCHANT", "", at, lambda _attempt: content)


class _Thing:
    """Something that is told of; ``mark`` changes when it does."""

    mark: tuple[object, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Thing) and self.mark == other.mark

    def __hash__(self) -> int:
        return hash(self.mark)

    def notices(self, *, is_new: bool) -> Iterator[Notice]:
        """The events of its having come or changed."""
        raise NotImplementedError


class _Payment(_Thing):
    def __init__(self, sale: Sale, tender: Tender) -> None:
        self.sale, self.tender = sale, tender
        states = tuple(refund.state for refund in tender.refunds)
        self.mark = (tender.updated_at, tender.state, tender.total_minor, states)

    def notices(self, *, is_new: bool) -> Iterator[Notice]:
        """A card payment comes in three steps, another one complete."""
        document, at = payments.payment(self.sale, self.tender), self.tender.updated_at
        if not is_new:
            yield self._event("payment.updated", document, at)
            return
        is_card = "card_details" in document
        bare = {key: value for key, value in document.items() if key != "processing_fee"}
        at = max(self.tender.created_at, self.sale.available_at)
        if is_card:
            card = {**bare["card_details"], "status": "AUTHORIZED"}
            approved = {**bare, "status": "APPROVED", "card_details": card}
            yield self._event("payment.created", approved, at)
            if self.tender.state != "authorized":
                yield self._event("payment.updated", bare, at + 410)
        else:
            yield self._event("payment.created", bare, at)
        if "processing_fee" in document:
            yield self._event("payment.updated", document, at + 9_300)

    def _event(self, event_type: str, document: Json, at: Instant) -> Notice:
        merchant, shop = self.sale.merchant, self.sale.shop
        return _event(
            merchant, event_type, "payment", document["id"], at, {"payment": document}, _place(merchant, shop)
        )


class _Refund(_Thing):
    def __init__(self, sale: Sale, given: Refund) -> None:
        self.sale, self.given = sale, given
        self.mark = (given.updated_at, given.state)

    def notices(self, *, is_new: bool) -> Iterator[Notice]:
        """A refund is pending first, then what it is."""
        document = payments.refund(self.sale, self.given)
        at = max(self.given.updated_at, self.sale.available_at)
        if is_new:
            pending = {key: value for key, value in document.items() if key != "processing_fee"}
            yield self._event("refund.created", {**pending, "status": "PENDING"}, at - 700)
        if not is_new or self.given.state != "pending":
            yield self._event("refund.updated", document, at)

    def _event(self, event_type: str, document: Json, at: Instant) -> Notice:
        merchant, shop = self.sale.merchant, self.sale.shop
        return _event(
            merchant, event_type, "refund", document["id"], at, {"refund": document}, _place(merchant, shop)
        )


class _Pickup(_Thing):
    def __init__(self, sale: Sale) -> None:
        self.sale = sale
        pickup = sale.body.pickup
        self.mark = (sale.state, pickup.handed_over_at if pickup else None)

    def notices(self, *, is_new: bool) -> Iterator[Notice]:
        """Goods are handed over in the order manager; that they were ordered is told by the payment."""
        if is_new:
            return
        sale, key = self.sale, names.order_id(self.sale)
        facts: Json = {
            "order_id": key,
            "version": sale.version,
            "location_id": names.location_id(sale.merchant, sale.shop),
            "state": sale.state.upper(),
            "created_at": names.time_text(sale.opened_at),
            "updated_at": names.time_text(sale.updated_at),
        }
        step = {
            "fulfillment_uid": names.uid(sale, "pickup"),
            "old_state": "PROPOSED",
            "new_state": "COMPLETED",
        }
        fulfilled = {**facts, "fulfillment_update": [step]}
        for event_type, told in (("order.updated", facts), ("order.fulfillment.updated", fulfilled)):
            name = event_type.replace(".", "_")
            yield _event(
                sale.merchant, event_type, name, key, sale.updated_at, {name: told}, facts["location_id"]
            )


class _Shop(_Thing):
    def __init__(self, merchant: Merchant, shop: Shop) -> None:
        self.merchant, self.shop = merchant, shop
        self.mark = (shop.name, shop.updated_at)

    def notices(self, *, is_new: bool) -> Iterator[Notice]:
        """Only that it has changed; the event has no object."""
        key = names.location_id(self.merchant, self.shop)
        event_type = "location.created" if is_new else "location.updated"
        yield _event(
            self.merchant, event_type, "Location", key, self.shop.updated_at, None, key, top_location=key
        )


class _Catalog(_Thing):
    def __init__(self, merchant: Merchant) -> None:
        self.merchant = merchant
        self.mark = (len(merchant.catalog_versions),)

    def notices(self, *, is_new: bool) -> Iterator[Notice]:
        """When the catalogue changed last, and not what."""
        at = max(self.merchant.catalog_versions)
        told = {"catalog_version": {"updated_at": names.time_text(at)}}
        key = stable_uuid(self.merchant.seed, "catalog-event", self.merchant.key, *self.mark)
        yield _event(self.merchant, "catalog.version.updated", "catalog_version", key, at, told)


def _event(
    merchant: Merchant,
    event_type: str,
    data_type: str,
    key: str,
    at: Instant,
    told: Json | None,
    location_id: str = "",
    top_location: str = "",
) -> Notice:
    """An event as it is sent; its text is made now, since what it tells of goes on changing."""
    account_id = names.merchant_id(merchant)
    event_id = stable_uuid(merchant.seed, "event", event_type, key, at)
    data: dict[str, Any] = {"type": data_type, "id": key}
    if told is not None:
        data["object"] = told
    body: Json = {"merchant_id": account_id}
    if top_location:
        body["location_id"] = top_location
    is_old = data_type in ("catalog_version", "revocation")
    created_at = _nine_digits(at + _LAG) if is_old else format_instant(at + _LAG)
    body |= {"type": event_type, "event_id": event_id, "created_at": created_at, "data": data}
    content = encode(body)
    return Notice(event_id, event_type, account_id, location_id, at, lambda _attempt: content)


def _nine_digits(at: Instant) -> str:
    """A time as some of the envelopes have it: with nine digits of fraction."""
    return format_instant(at).replace("Z", f"{at % 999_983:06d}Z")


def _place(merchant: Merchant, shop: Shop) -> str:
    return names.location_id(merchant, shop)


def _signature(key: str, message: bytes, method: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message, getattr(hashlib, method)).digest()).decode()
