"""Sees to it that a vendor sends its events here: one subscription, to the right address, whose key is known.

Every step may be the last of this process. A request is named in the database before it is sent, and an
address is accepted before the vendor has it; so the next attempt finds what the vendor has and goes on.
"""

import hashlib
import ipaddress
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import httpx
from sqlalchemy import Engine

from pipelines.connector import Connector
from pipelines.http import VendorHttp, is_loopback
from pipelines.registry import connectors
from pipelines.webhook import Registration, Subscription, Terms
from pos_core.errors import ConfigurationError, PosError, SettingsError, VendorRequestError
from pos_core.repositories import subscriptions
from pos_core.repositories.subscriptions import Held, Settled
from pos_core.settings import get_settings
from pos_core.vault import Vault

logger = logging.getLogger(__name__)

NAME = "POS integration"
"""By which our subscriptions are known among those of the operator's application."""

Action = Literal["created", "updated", "unchanged", "rotated"]
_LONGEST_KEY = 40
_NOT_PUBLIC = (".local", ".localhost", ".internal")


@dataclass(frozen=True)
class Registered:
    """What was done.

    Args:
        is_key_new: whether another signature key counts now.
        removed: second subscriptions of ours to the same address, which were ended.
        elsewhere: addresses to which other subscriptions of our name send, of other installations perhaps.
    """

    action: Action
    external_id: str
    url: str
    is_key_new: bool
    removed: int = 0
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tested:
    """How our address has answered an event that the vendor has sent it for a test."""

    url: str
    event_type: str
    status_code: int

    @property
    def is_accepted(self) -> bool:
        """Whether it was taken in."""
        return 200 <= self.status_code < 300


@dataclass(frozen=True)
class _Desk:
    """Everything that one attempt needs; its lock is held."""

    engine: Engine
    vault: Vault
    api: Registration
    http: VendorHttp
    wanted: Terms
    held: Held

    def request_key(self, *purpose: str) -> str:
        """Names a request, in the database first; other contents have another name."""
        with self.engine.begin() as connection:
            nonce = subscriptions.request_key(connection, self.held.id)
        return hashlib.sha256("\n".join((str(nonce), *purpose)).encode()).hexdigest()[:_LONGEST_KEY]

    def settle(self, found: Subscription, key: str) -> bool:
        """Stores what the vendor has confirmed; returns whether the key is another one."""
        now = Settled(found.external_id, found.terms.url, found.is_enabled, key)
        with self.engine.begin() as connection:
            subscriptions.settle(connection, self.vault, self.held, now)
        return self.held.keys.get("current") != key


def register(engine: Engine, vault: Vault, connector: Connector) -> Registered:
    """Makes the subscription, or brings it up to date; to be repeated at will.

    Raises:
        ConfigurationError: the vendor has no API for it.
        SettingsError: the operator's token is missing, or WEBHOOK_BASE_URL cannot be reached by the vendor.
        VendorError: the vendor cannot be asked, or refuses.
    """
    with _opened(engine, vault, connector) as desk:
        return _register(desk)


def rotate(engine: Engine, vault: Vault, connector: Connector) -> Registered:
    """Replaces the signature key; the one before is accepted for three days more.

    Where there is no subscription yet, one is made, whose key is new anyway.

    Raises:
        PosError: as `register`; VendorRequestError too when the subscription was deleted at the vendor.
    """
    with _opened(engine, vault, connector) as desk:
        external_id = desk.held.external_id
        if external_id is None:
            return _register(desk)
        found = desk.api.read(desk.http, external_id)
        key = _new_key(desk, external_id)
        desk.settle(found, key)
        return Registered("rotated", external_id, found.terms.url, is_key_new=True)


def test(engine: Engine, connector: Connector) -> Tested:
    """Has the vendor send one event of an account that nobody has.

    Raises:
        ConfigurationError: the vendor has no API for it, or there is no subscription.
        SettingsError: the operator's token is missing.
        VendorError: the vendor cannot be asked, or refuses.
    """
    api, base_url = _api(connector), connector.base_url()
    with engine.connect() as connection:
        known = subscriptions.registered(connection, connector.pos_system, base_url)
    if known is None:
        raise ConfigurationError(
            f"There is no subscription at {connector.title}; `pos webhooks register {connector.pos_system}` "
            "makes it."
        )
    external_id, url = known
    event_type = connector.webhook.event_types[0]
    with api.open_http(base_url) as http:
        return Tested(url, event_type, api.test(http, external_id, event_type))


def register_due(engine: Engine, vault: Vault) -> list[str]:
    """Looks after the subscriptions that need it, at a low rate; returns a line on each.

    A failure is told in its line, in the log and in the status; it is tried again later.
    """
    lines = []
    for connector in connectors().values():
        if connector.webhook.registration is None:
            continue
        try:
            with engine.connect() as connection:
                url = get_settings().webhook_address(connector.pos_system)
                if not subscriptions.is_due(connection, connector.pos_system, connector.base_url(), url):
                    continue
            done = register(engine, vault, connector)
            lines.append(f"The subscription at {connector.title} to {done.url}: {done.action}.")
        except PosError as error:
            logger.warning("the webhooks of %s are not registered: %s", connector.title, error.message)
            lines.append(f"The webhooks of {connector.title} are not registered: {error.message}")
    return lines


def check_address(title: str, base_url: str, address: str) -> None:
    """Whether a vendor can send to an address; a vendor on this machine may do so by plain HTTP.

    Args:
        title: the vendor's name, for messages.
        base_url: the vendor's address.
        address: ours, made of WEBHOOK_BASE_URL.

    Raises:
        SettingsError: it cannot.
    """
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.userinfo or url.query or url.fragment:
        raise SettingsError("WEBHOOK_BASE_URL must have neither a password nor parameters in it.")
    if url.scheme == "https" and _is_public(url.host):
        return
    if url.scheme in ("http", "https") and is_loopback(address) and is_loopback(base_url):
        return
    raise SettingsError(
        f"WEBHOOK_BASE_URL must be a public https address like https://pos.example.com; {title} cannot send "
        f"to {url.scheme or 'no'}://{url.host}."
    )


@contextmanager
def _opened(engine: Engine, vault: Vault, connector: Connector) -> Iterator[_Desk]:
    """One attempt at a time; a failure is noted for the status."""
    api, base_url = _api(connector), connector.base_url()
    url = get_settings().webhook_address(connector.pos_system)
    webhook, pos_system = connector.webhook, connector.pos_system
    with subscriptions.held(engine, pos_system):
        with engine.begin() as connection:
            held = subscriptions.begin(connection, vault, pos_system, base_url, url)
        try:
            check_address(connector.title, base_url, url)
            with api.open_http(base_url) as http:
                wanted = Terms(NAME, url, frozenset(webhook.event_types), api.version)
                yield _Desk(engine, vault, api, http, wanted, held)
        except PosError as error:
            with engine.begin() as connection:
                subscriptions.fail(connection, pos_system, base_url, error.message)
            raise


def _api(connector: Connector) -> Registration:
    if connector.webhook.registration is None:
        raise ConfigurationError(
            f"{connector.title} has no API for webhooks; `pos webhooks register {connector.pos_system}` says "
            "what to enter by hand."
        )
    return connector.webhook.registration


def _register(desk: _Desk) -> Registered:
    mine, doubles, elsewhere = _find(desk)
    action: Action = "unchanged"
    if mine is None:
        mine, action = _create(desk), "created"
    elif mine.terms != desk.wanted or not mine.is_enabled:
        if mine.terms.url != desk.wanted.url:
            with desk.engine.begin() as connection:
                subscriptions.announce(connection, desk.held.id, desk.wanted.url)
        mine, action = desk.api.update(desk.http, mine.external_id, desk.wanted), "updated"
    is_key_new = desk.settle(mine, _current_key(desk, mine))
    if is_key_new and action == "unchanged":
        action = "updated"
    for each in doubles:
        desk.api.delete(desk.http, each.external_id)
    return Registered(action, mine.external_id, mine.terms.url, is_key_new, len(doubles), elsewhere)


def _find(desk: _Desk) -> tuple[Subscription | None, list[Subscription], tuple[str, ...]]:
    """Our subscription, further ones of ours to the same address, and where others of our name send to."""
    found = desk.api.listed(desk.http)
    url = desk.wanted.url
    mine = next((each for each in found if each.external_id == desk.held.external_id), None)
    to_us = [each for each in found if each.terms.url == url]
    if mine is None:
        # One that was made by hand counts as well: a second one would send every event twice.
        ours_first = sorted(to_us, key=lambda each: (each.terms.name != NAME, each.external_id))
        mine = next(iter(ours_first), None)
    named = [each for each in found if each.terms.name == NAME and each is not mine]
    doubles = [each for each in named if each.terms.url == url]
    return mine, doubles, tuple(sorted({each.terms.url for each in named if each.terms.url != url}))


def _create(desk: _Desk) -> Subscription:
    terms = desk.wanted
    key = desk.request_key("create", terms.url, terms.version, *sorted(terms.event_types))
    try:
        return desk.api.create(desk.http, terms, key)
    except VendorRequestError:
        with desk.engine.begin() as connection:
            subscriptions.forget_request(connection, desk.held.id)
        raise


def _current_key(desk: _Desk, mine: Subscription) -> str:
    """The key that the vendor signs with.

    As the vendor tells it; where it does not, as it is stored, unless that is not sure to be the one.
    """
    told = mine.key or desk.api.read(desk.http, mine.external_id).key
    if told is not None:
        return told
    held = desk.held
    known = held.keys.get("current")
    if known is not None and held.external_id == mine.external_id and held.request_key is None:
        return known
    return _new_key(desk, mine.external_id)


def _new_key(desk: _Desk, external_id: str) -> str:
    return desk.api.rotate(desk.http, external_id, desk.request_key("rotate", external_id))


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_NOT_PUBLIC)
