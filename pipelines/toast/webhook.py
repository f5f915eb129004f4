"""Toast's webhooks: the signed order itself, whole, each time that it changes.

One type of event covers every change of an order. The body is the document, so nothing has to be asked; it
may exceed 600 KB. Toast waits two seconds, repeats an event twice at most (after 5 and 10 more minutes) and
only after a time-out, 404, 429 or 5xx: what is answered with 401 is lost. An event names the restaurant and
not the account that the restaurant belongs to.

Source: Toast developer guide, webhooks: message data schema, HTTP headers, message signing, retry support,
subscriptions; orders webhook reference.
"""

from collections.abc import Sequence

from pipelines.toast.documents import RESTAURANT_KEY, parse_instant, placed, strip
from pipelines.toast.settings import webhook_secrets
from pipelines.webhook import (
    SECRET_KEY,
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
    own_secrets,
    sign,
    stored,
)
from pos_core.errors import WebhookError

_SIGNATURE = "toast-signature"
_SIGNATURE_LENGTH = 44  # of 32 bytes in base64; what is longer or shorter need not be parsed
_ORDER_TYPES = ("order_updated", "channel_order_updated")
# A restaurant was connected or disconnected: reading the account tells which are left.
_PARTNER_TYPES = ("partner_added", "partner_removed", "partner_updated")
EVENT_TYPES = ("order_updated",)
_STREAM = "orders"
_ENVELOPE = ("timestamp", "eventCategory", "eventType", "guid")


def verify(delivery: Delivery, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets made the signature over the body and the time stamp in it.

    Source: developer guide, message signing: base64 of HMAC-SHA256 over the body and then the message's own
    time stamp. That this is the body's top-level `timestamp` is how its receivers read the page.
    """
    given = delivery.headers.get(_SIGNATURE, "")
    if len(given) != _SIGNATURE_LENGTH:
        return False
    try:
        timestamp = delivery.content.get("timestamp")
    except WebhookError:
        return False
    if not isinstance(timestamp, str):
        return False
    message = (delivery.body, timestamp.encode("utf-8", "surrogatepass"))
    return fits(given, [sign(secret, *message) for secret in secrets if secret])


def read(delivery: Delivery) -> Event:
    """The order in an event, with its restaurant and without personal data.

    The restaurant is taken from the body, which is signed, and never from a header.

    Raises:
        WebhookError: the body is no event, or one of an order without an order.
    """
    content = delivery.content
    event_type = event_type_of(content.get("eventType"))
    restaurant = name_of(object_at(content, "details").get(RESTAURANT_KEY))
    meaning = Meaning.PULL if event_type in _PARTNER_TYPES else Meaning.NOTHING
    documents = {}
    if event_type in _ORDER_TYPES:
        meaning = Meaning.DOCUMENTS
        documents = {_STREAM: (placed(_order(delivery), restaurant),)}
    return Event(
        event_id=name_of(content.get("guid")) or body_id(delivery),
        event_type=event_type,
        sent_at=parse_instant(content.get("timestamp")),
        account_ids=(),
        location_ids=names_of(restaurant),
        meaning=meaning,
        documents=documents,
    )


def keep(delivery: Delivery) -> bytes:
    """The event with its order, without personal data; of another event ids, types and times.

    Raises:
        WebhookError: like `read`.
    """
    content = delivery.content
    event_type = event_type_of(content.get("eventType"))
    kept = only(content, _ENVELOPE)
    kept["details"] = only(object_at(content, "details"), (RESTAURANT_KEY,))
    if event_type in _ORDER_TYPES:
        kept["details"]["order"] = _order(delivery)
    return stored(kept)


def instructions(url: str) -> str:
    """What to enter where so that Toast sends its orders.

    Args:
        url: the address to register: the operator's one, or that of one configuration.

    Source: developer guide, webhook subscriptions; there is no API for them.
    """
    return (
        "Toast has no API for subscriptions; they are made by hand.\n"
        "With standard API access: in Toast Web, where the API credentials are managed (Integrations > Toast "
        "API access), add a webhook subscription to the credential set of this configuration. Event "
        f"category: orders. URL: {url} - then connect the configuration again with the secret that is shown "
        f"there as {SECRET_KEY} in its credentials.\n"
        "With a partner or custom integration: ask the Toast Integrations team to subscribe the event "
        f"category order_updated to {url} and set TOAST_WEBHOOK_SECRET to the secret that they give you, "
        "with a comma and the previous one behind it while it is being replaced."
    )


def _order(delivery: Delivery) -> dict[str, object]:
    order = object_at(delivery.content, "details", "order")
    if not order:
        raise WebhookError("The event of an order has no order in it; nothing was stored.")
    return dict(strip(_STREAM, order))


WEBHOOK = Webhook(
    scopes=frozenset({"application", "configuration"}),
    event_types=EVENT_TYPES,
    headers=(_SIGNATURE,),
    operator_secrets=webhook_secrets,
    configuration_secrets=own_secrets,
    verify=verify,
    read=read,
    keep=keep,
    instructions=instructions,
)
