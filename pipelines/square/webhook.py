"""Square's webhooks: hints that an order, a payment or a refund has changed.

What is sold at a till publishes no order event, only those of its payments; so payments and refunds are what
leads to orders. One sale makes a burst of events, in no promised order and sometimes twice. The signature
covers the registered address and the body, but no time: only the event's id tells a repetition.

Source: Square API 2025-08-20, x-webhook; developer.squareup.com/docs/webhooks; the SDK's webhooks helper.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.square.documents import parse_instant, strip
from pipelines.square.settings import webhook_signature_keys
from pipelines.square.subscriptions import REGISTRATION
from pipelines.webhook import (
    Delivery,
    Event,
    Meaning,
    Webhook,
    body_id,
    event_type_of,
    fits,
    name_of,
    names_of,
    object_at,
    only,
    sign,
    stored,
)

_SIGNATURE = "x-square-hmacsha256-signature"
_ORDER_TYPES = ("order.created", "order.updated", "order.fulfillment.updated")
_PAYMENT_TYPES = ("payment.created", "payment.updated")
_REFUND_TYPES = ("refund.created", "refund.updated")
_CATALOG_TYPE = "catalog.version.updated"
_LOCATION_TYPES = ("location.created", "location.updated")
_REVOKED_TYPE = "oauth.authorization.revoked"
EVENT_TYPES = (
    *_PAYMENT_TYPES,
    *_REFUND_TYPES,
    *_ORDER_TYPES,
    _CATALOG_TYPE,
    *_LOCATION_TYPES,
    _REVOKED_TYPE,
)
# What `data.object` holds; of payments and refunds whole documents, of the others ids and times.
_DOCUMENTS = {"payment": "payments", "refund": "refunds"}
_FACTS = ("order_created", "order_updated", "order_fulfillment_updated", "catalog_version", "revocation")
_FACTS_KEPT = (
    "order_id", "version", "location_id", "state", "created_at", "updated_at", "revoked_at", "revoker_type",
)  # fmt: skip
_ENVELOPE = ("merchant_id", "location_id", "type", "event_id", "created_at")
_DATA = ("type", "id", "deleted")


def verify(delivery: Delivery, secrets: Sequence[str]) -> bool:
    """Whether one of the signature keys made the signature over the registered address and the body.

    Source: the header x-square-hmacsha256-signature is base64 of HMAC-SHA256 over the notification URL as it
    was registered and the raw body; the key is plain UTF-8. The older SHA-1 header beside it is ignored.
    """
    message = (delivery.url.encode("utf-8", "surrogatepass"), delivery.body)
    expected = [sign(secret, *message) for secret in secrets if secret]
    return fits(delivery.headers.get(_SIGNATURE, ""), expected)


def read(delivery: Delivery) -> Event:
    """What an event leads to: the ids to look up, a read of the account, or the end of the access.

    Raises:
        WebhookError: the body is no event.
    """
    content = delivery.content
    event_type = event_type_of(content.get("type"))
    references = _references(event_type, content)
    return Event(
        event_id=name_of(content.get("event_id")) or body_id(delivery),
        event_type=event_type,
        sent_at=parse_instant(content.get("created_at")),
        account_ids=names_of(content.get("merchant_id")),
        location_ids=names_of(_object(content).get("location_id")) or names_of(content.get("location_id")),
        meaning=_meaning(event_type, references),
        references=references,
    )


def keep(delivery: Delivery) -> bytes:
    """The event without personal data; of an object that nobody knows only that there was one.

    Raises:
        WebhookError: the body is no event.
    """
    content = delivery.content
    event_type_of(content.get("type"))
    data = object_at(content, "data")
    objects = {key: object_at(data, "object", key) for key in (*_DOCUMENTS, *_FACTS)}
    known = {
        key: strip(_DOCUMENTS[key], each) if key in _DOCUMENTS else only(each, _FACTS_KEPT)
        for key, each in objects.items()
        if each
    }
    kept_data = {**only(data, _DATA), **({"object": known} if any(known.values()) else {})}
    kept = {**only(content, _ENVELOPE), **({"data": kept_data} if kept_data else {})}
    return stored(kept)


def _meaning(event_type: str, references: Mapping[str, Sequence[str]]) -> Meaning:
    if event_type == _REVOKED_TYPE:
        return Meaning.REVOKED
    if event_type == _CATALOG_TYPE or event_type in _LOCATION_TYPES:
        return Meaning.PULL
    if event_type in (*_ORDER_TYPES, *_PAYMENT_TYPES, *_REFUND_TYPES):
        # An event that names nothing is still a sign that something has changed.
        return Meaning.LOOK_UP if references else Meaning.PULL
    return Meaning.NOTHING


def _references(event_type: str, content: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The order that changed, and the payment or refund that says so."""
    changed, named = _object(content), names_of(object_at(content, "data").get("id"))
    orders, documents = names_of(changed.get("order_id")), names_of(changed.get("id")) or named
    if event_type in _ORDER_TYPES:
        found = {"orders": orders or named}
    elif event_type in _PAYMENT_TYPES:
        found = {"payments": documents, "orders": orders}
    elif event_type in _REFUND_TYPES:
        found = {"refunds": documents, "orders": orders}
    else:
        return {}
    return {stream: ids for stream, ids in found.items() if ids}


def _object(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `data.object` holds under whichever name it is known by; empty where there is nothing."""
    found = (object_at(content, "data", "object", key) for key in (*_DOCUMENTS, *_FACTS))
    return next(filter(None, found), {})


WEBHOOK = Webhook(
    scopes=frozenset({"application"}),
    event_types=EVENT_TYPES,
    headers=(_SIGNATURE,),
    operator_secrets=webhook_signature_keys,
    configuration_secrets=lambda _credentials: (),
    verify=verify,
    read=read,
    keep=keep,
    instructions=None,
    registration=REGISTRATION,
)
