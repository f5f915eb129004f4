"""What a vendor's webhook must offer: is a delivery genuine, what does it say, what of it may be kept.

Pure functions of a delivery and of secrets: nothing is asked, read or stored here. A delivery is only read
after `verify` has said yes, and what it names is still only a claim: it may concern those configurations
alone whose account or shop the vendor has confirmed for their own credentials.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pipelines import json_text
from pos_core.errors import CredentialsError, WebhookError

if TYPE_CHECKING:
    from pipelines.connector import Credentials, Document
    from pipelines.http import VendorHttp

SECRET_KEY = "webhook_secret"
"""Where a configuration's credentials hold what the vendor sends with its events: a text, or a list of them
(the current one and, while it is being replaced, the previous one)."""

Scope = Literal["application", "configuration"]
"""Whose secret it is: the operator's, for all accounts, or one connection's, which speaks for it alone."""

References = Mapping[str, Sequence[str]]
"""By stream, the ids of documents that the vendor says have changed."""

_LONGEST_NAME = 190
_MOST_SECRETS = 4


class Meaning(Enum):
    """What an event wants us to do."""

    LOOK_UP = "look_up"
    """Ask the vendor for the documents that it names in `references`."""

    DOCUMENTS = "documents"
    """Nothing to ask: the signed body has the documents themselves."""

    PULL = "pull"
    """Something has changed that only a read of the account shows."""

    REVOKED = "revoked"
    """The vendor says that the access of its `account_ids` has ended."""

    NOTHING = "nothing"
    """Nothing that concerns sales; it is counted."""


@dataclass(frozen=True)
class Delivery:
    """What the vendor has sent.

    Args:
        body: the bytes as they came.
        headers: by lower-case name.
        url: the address that is registered with the vendor, taken from the configuration and never from the
            request: a vendor may sign it.
    """

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    url: str = ""

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """The body as a JSON object, parsed once.

        Raises:
            WebhookError: it is none, or nested deeper than any document.
        """
        try:
            parsed = json_text.parse(self.body)
        except ValueError:
            raise WebhookError("The body is no JSON; nothing was stored.") from None
        if not isinstance(parsed, dict):
            raise WebhookError("The body is no JSON object; nothing was stored.")
        if json_text.is_too_deep(parsed):
            raise WebhookError("The body is nested too deeply; nothing was stored.")
        return parsed


@dataclass(frozen=True)
class Event:
    """What a delivery says.

    Args:
        event_id: the same for a delivery that is repeated.
        sent_at: the vendor's own time of the event, where it tells one.
        account_ids: the accounts that it claims to concern, as the vendor names them.
        location_ids: the shops that it claims to concern.
        references: for `LOOK_UP`.
        documents: for `DOCUMENTS`, by stream, without personal data.
    """

    event_id: str
    event_type: str
    sent_at: datetime | None
    account_ids: tuple[str, ...]
    location_ids: tuple[str, ...]
    meaning: Meaning
    references: References = field(default_factory=dict)
    documents: Mapping[str, Sequence["Document"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """What a subscription is asked to be.

    Args:
        url: to which events are sent.
        version: of the vendor's API, in which they are written.
    """

    name: str
    url: str
    event_types: frozenset[str]
    version: str


@dataclass(frozen=True)
class Subscription:
    """A subscription as the vendor has it; few answers have the `key` that signs its events."""

    external_id: str
    terms: Terms
    is_enabled: bool
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Registration:
    """A vendor's API for subscriptions, asked as the operator; all functions raise VendorError as HTTP does.

    Args:
        version: of the vendor's API to subscribe to.
        open_http: a client of a vendor address that sends the operator's token; raises SettingsError where
            that is not set.
        listed: every subscription, disabled ones too; their keys need not be there.
        read: one subscription, with its key where the vendor tells it.
        create: makes one, enabled, and returns it with its key; the text names the request, so that a
            repetition has the same answer.
        update: brings one to these terms and enables it.
        rotate: replaces the key of one and returns the new one, at once in use; the text names the request.
        delete: ends one; one that is gone already is no error.
        test: has an event of this type sent; returns the HTTP status that it was answered with.
    """

    version: str
    open_http: Callable[[str], "VendorHttp"]
    listed: Callable[["VendorHttp"], list[Subscription]]
    read: Callable[["VendorHttp", str], Subscription]
    create: Callable[["VendorHttp", Terms, str], Subscription]
    update: Callable[["VendorHttp", str, Terms], Subscription]
    rotate: Callable[["VendorHttp", str, str], str]
    delete: Callable[["VendorHttp", str], None]
    test: Callable[["VendorHttp", str, str], int]


@dataclass(frozen=True)
class Webhook:
    """The webhooks of one POS.

    Args:
        scopes: whose secrets there can be; «application» has one address for all accounts, «configuration»
            one for each connection.
        event_types: to subscribe to, as the vendor calls them.
        headers: what it reads of a delivery's headers, lower-case; nothing else needs to be kept for it.
        operator_secrets: the operator's secrets, the current one first; none where they are not set.
        configuration_secrets: those of one connection, out of its credentials.
        verify: whether any of the secrets fits, in constant time; never raises.
        read: what a genuine delivery says; raises WebhookError when its body cannot be an event.
        keep: the body as it may be stored: without personal data, and of what nobody knows ids, types and
            times alone. To `read`, together with the headers, it says the same as the body itself did, but
            for an id that was made of the bytes. Raises WebhookError like `read`.
        instructions: what a person has to enter where, given the address to register; None where the vendor
            has an API for it.
        registration: that API.
    """

    scopes: frozenset[Scope]
    event_types: tuple[str, ...]
    headers: tuple[str, ...]
    operator_secrets: Callable[[], Sequence[str]]
    configuration_secrets: Callable[["Credentials"], Sequence[str]]
    verify: Callable[[Delivery, Sequence[str]], bool]
    read: Callable[[Delivery], Event]
    keep: Callable[[Delivery], bytes]
    instructions: Callable[[str], str] | None
    registration: Registration | None = None


def fits(given: str, expected: Iterable[str]) -> bool:
    """Whether a text is one of those expected; how long it takes tells neither which nor how much of it."""
    found = False
    for each in expected:
        found |= hmac.compare_digest(_bytes(given), _bytes(each))
    return found


def sign(secret: str, *parts: bytes) -> str:
    """base64 of HMAC-SHA256 over the parts one after another; the secret is taken as plain UTF-8."""
    made = hmac.new(_bytes(secret), digestmod=hashlib.sha256)
    for part in parts:
        made.update(part)
    return base64.b64encode(made.digest()).decode("ascii")


def name_of(value: object) -> str | None:
    """An id or a type as text; None for what is none, or is nothing that could be stored and shown."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_NAME:
        return None
    return value if value.isprintable() else None


def names_of(*values: object) -> tuple[str, ...]:
    """Those of the values that are names, each once."""
    return tuple(dict.fromkeys(filter(None, map(name_of, values))))


def event_type_of(value: object) -> str:
    """The type of an event.

    Raises:
        WebhookError: there is none, so that this is no event.
    """
    name = name_of(value)
    if name is None:
        raise WebhookError("The body names no type of event; nothing was stored.")
    return name


def object_at(content: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """The object below some keys; empty where there is none."""
    value: Any = content
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def only(content: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The ids, types and times at these keys: short texts and whole numbers, nothing else."""
    found = {}
    for key in keys:
        value = content.get(key)
        if isinstance(value, bool) or name_of(value) is not None:
            found[key] = value
    return found


def stored(content: Mapping[str, Any]) -> bytes:
    """JSON as it may be stored; in ASCII, so that half surrogates in texts do no harm."""
    return json_text.to_ascii(content)


def body_id(delivery: Delivery) -> str:
    """The id of a delivery that has none: the hash of its body."""
    return f"sha256:{hashlib.sha256(delivery.body).hexdigest()}"


def listed_secrets(text: str) -> tuple[str, ...]:
    """The secrets in a setting, commas between them: the current one, then the previous one."""
    return tuple(each.strip() for each in text.split(",") if each.strip())


def own_secrets(credentials: "Credentials") -> tuple[str, ...]:
    """The secrets of one connection, the current one first."""
    given = credentials.get(SECRET_KEY, ())
    return (given,) if isinstance(given, str) else tuple(str(each) for each in given)


def read_secrets(title: str, given: object) -> list[str]:
    """Checks what a customer gave as `webhook_secret`.

    Args:
        title: the vendor's name, for messages.
        given: a text or a list of texts, the current secret first.

    Raises:
        CredentialsError: it is something else; values are never repeated.
    """
    entries = given if isinstance(given, list) else [given]
    secrets = [each.strip() for each in entries if isinstance(each, str)]
    if not secrets or len(secrets) < len(entries) or not all(secrets) or len(secrets) > _MOST_SECRETS:
        raise CredentialsError(
            f"{title}: {SECRET_KEY} must be text that is not empty, or a list of at most {_MOST_SECRETS}."
        )
    if any(ord(letter) < 33 or ord(letter) > 126 for each in secrets for letter in each):
        raise CredentialsError(f"{title}: {SECRET_KEY} contains a character that no secret has.")
    return secrets


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
