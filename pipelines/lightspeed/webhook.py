"""Lightspeed's notifications: a till has closed an account, so it is time to read.

Real-time notifications are entered by hand in the back office and carry Basic authentication, no signature;
whoever has the password may say anything, so the body decides nothing but whether to read. Its shape is not
that of the API. The same account comes as UPDATE and as CLOSE, and a closed sale may come as UPDATE: what
counts is the account's status. Notifications of orders made through the API (type ORDER or PAYMENT) are
understood too.

Source: K-Series developer documents, real-time notifications; Order and Pay API 1.0.0, webhooks; recorded
notifications.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.webhook import (
    SECRET_KEY,
    Delivery,
    Event,
    Meaning,
    Webhook,
    body_id,
    fits,
    name_of,
    names_of,
    object_at,
    only,
    own_secrets,
    stored,
)

_AUTHORIZATION = "authorization"
_IDEMPOTENCY_KEY = "x-lightspeed-idempotency-key"
_BASIC = re.compile(r"basic +(\S+)", re.IGNORECASE)
_BACK_OFFICE = "https://manager.lsk.lightspeed.app/configuration/editRealtimeNotification"
EVENT_TYPES = ("OPEN", "UPDATE", "CLOSE")
_ORDER_TYPES = ("ORDER", "PAYMENT")
_UNTOLD = "untold"  # bodies about failures name no type
_ENVELOPE = ("notificationType", "event", "type", "status", "retryCounter", "businessLocationId")
_ACCOUNT = (
    "id", "uuid", "businessLocationId", "accountNumber", "originAccountNumber", "type", "status", "cancelled",
    "openDate", "closeDate", "updateDate", "offset",
)  # fmt: skip
_LOCATION = "businessLocationId"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def verify(delivery: Delivery, secrets: Sequence[str]) -> bool:
    """Whether the Basic authentication is one of the secrets, each `user:password`.

    Source: HTTP Basic is all that is documented; there is no signature.
    """
    match = _BASIC.fullmatch(delivery.headers.get(_AUTHORIZATION, "").strip())
    expected = [
        base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode() for secret in secrets if secret
    ]
    return fits(match[1] if match else "", expected)


def read(delivery: Delivery) -> Event:
    """Whether to read the account: yes when something was closed, no for one that is still open.

    Raises:
        WebhookError: the body is no JSON object.
    """
    content = delivery.content
    account = object_at(content, "account")
    event_type = name_of(content.get("notificationType")) or name_of(content.get("type")) or _UNTOLD
    key = delivery.headers.get(_IDEMPOTENCY_KEY)
    return Event(
        event_id=name_of(key) or body_id(delivery),
        event_type=event_type,
        sent_at=_instant(account.get("updateDate")),
        account_ids=(),
        location_ids=names_of(content.get(_LOCATION)) or names_of(account.get(_LOCATION)),
        meaning=_meaning(event_type, account),
    )


def keep(delivery: Delivery) -> bytes:
    """Ids, types and times; lines, payments and people are read from the API.

    Raises:
        WebhookError: the body is no JSON object.
    """
    content = delivery.content
    kept = only(content, _ENVELOPE)
    account = only(object_at(content, "account"), _ACCOUNT)
    return stored({**kept, "account": account} if account else kept)


def instructions(url: str) -> str:
    """What to enter where so that Lightspeed notifies.

    Args:
        url: the address of the configuration.

    Source: K-Series developer documents, set-up of real-time notifications; there is no API for them.
    """
    return (
        "Lightspeed has no API for notifications of till sales; they are entered by hand, and not offered to "
        f"every kind of API client.\nIn the back office open {_BACK_OFFICE} and enter: URL: {url} - CODE: a "
        "name of your choice - basic authentication: on, with a user name and a password of your choice, the "
        "password a long random one without a colon in the user name.\nThen connect the configuration again "
        f'with the same two as "{SECRET_KEY}": "user:password" in its credentials. Without notifications the '
        "account is read on schedule all the same."
    )


def _meaning(event_type: str, account: Mapping[str, Any]) -> Meaning:
    if event_type in EVENT_TYPES:
        status = account.get("status")
        is_open = status == "open" or (status is None and event_type == "OPEN")
        return Meaning.NOTHING if is_open else Meaning.PULL
    return Meaning.PULL if event_type in _ORDER_TYPES else Meaning.NOTHING


def _instant(milliseconds: object) -> datetime | None:
    """A time in milliseconds since 1970; None where it is none."""
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


WEBHOOK = Webhook(
    scopes=frozenset({"configuration"}),
    event_types=EVENT_TYPES,
    headers=(_AUTHORIZATION, _IDEMPOTENCY_KEY),
    operator_secrets=lambda: (),
    configuration_secrets=own_secrets,
    verify=verify,
    read=read,
    keep=keep,
    instructions=instructions,
)
