"""Real signed deliveries: what a sandbox sends for its sales, kept by a server in the service's place.

The sandbox signs for the service's address, so the service takes what was kept here whenever it is sent on.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from benchmarks.load import Request
from benchmarks.serving import in_thread
from pipelines.registry import get_connector
from pipelines.webhook import SECRET_KEY
from pos_cli.commands.configurations import connect_account
from pos_cli.sandbox import accounts
from pos_core.settings import get_settings

_OF_THE_CONNECTION = {b"host", b"connection", b"content-length", b"transfer-encoding"}
_CONNECTIONS = 4
_WAIT_SECONDS = 300


@dataclass(frozen=True)
class Sent:
    """A delivery as the vendor sent it.

    Args:
        path: of the service's address that was registered.
        headers: in the order in which they came, but for those of the connection.
    """

    pos_system: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)

    def request(self) -> Request:
        """As it goes to the service, over a connection that is kept."""
        return Request(written("POST", self.path.encode(), self.headers, self.body))


@dataclass(frozen=True)
class Shop:
    """An account of the sandbox as a configuration, and how its vendor's events are signed."""

    account_id: str
    pos_system: str
    configuration_id: UUID
    address: str
    secret: str = field(repr=False)


def written(
    method: str, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes, *, sized: bool = True
) -> bytes:
    """A request as it is written to a connection.

    Args:
        sized: says how long the body is; where not, one of the headers has to.
    """
    lines = [b"%s %s HTTP/1.1" % (method.encode(), target), b"host: 127.0.0.1"]
    lines += [b"%s: %s" % each for each in headers]
    if sized:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def connect_shops(url: str, operator_secret: str, most: int | None = None) -> list[Shop]:
    """Makes configurations of the sandbox's accounts, each with a secret of its own where there can be one.

    Args:
        url: of the sandbox.
        operator_secret: signs for all accounts of a vendor that knows no other secrets.
        most: how many of the accounts, as many as possible of each POS.
    """
    shops = []
    for account in _in_turn(accounts(url))[:most]:
        pos_system = account["pos_system"]
        is_own = "configuration" in get_connector(pos_system).webhook.scopes
        # Of the one form that every vendor takes.
        secret = f"till:{secrets.token_hex(16)}" if is_own else operator_secret
        given = {**account["credentials"], **({SECRET_KEY: secret} if is_own else {})}
        made, _ = connect_account(UUID(account["tenant_id"]), pos_system, account["name"], given)
        address = get_settings().webhook_address(pos_system, made.id if is_own else None)
        shops.append(Shop(account["account_id"], pos_system, made.id, address, secret))
    return shops


def _in_turn(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Accounts of every POS in turn."""
    seen: dict[str, int] = {}
    places = []
    for account in found:
        seen[account["pos_system"]] = seen.get(account["pos_system"], 0) + 1
        places.append(seen[account["pos_system"]])
    return [account for _, account in sorted(zip(places, found, strict=True), key=lambda each: each[0])]


class Capture:
    """Sells in the sandbox and keeps what is sent for it."""

    def __init__(self, control: httpx.Client, shops: Sequence[Shop]) -> None:
        self._control = control
        self._shops = shops
        self._kept: dict[tuple[str, bytes], Sent] = {}
        self._pos_systems = {each.address.rpartition("/api/")[2]: each.pos_system for each in shops}

    def sold(self, sales_each: int) -> list[Sent]:
        """Sells so many times in every shop; what was sent for it, each event once."""
        self._kept.clear()
        for shop in self._shops:
            self._post("sell", {"merchant_id": shop.account_id, "count": sales_each})
        query = {"wait_seconds": _WAIT_SECONDS}
        journal = self._control.get("webhooks", params=query).raise_for_status().json()
        if journal["counts"]["acknowledged"] < len(journal["events"]):
            raise SystemExit(f"The sandbox did not deliver all of its events: {journal['counts']}.")
        return list(self._kept.values())

    def listen(self, base: str) -> None:
        """Has the vendors send events of the shops to a server, signed for the service's address."""
        self._post("webhooks", {"deliver_to": base, "connections": _CONNECTIONS})
        for shop in self._shops:
            order = {"pos_system": shop.pos_system, "url": shop.address, "secret": shop.secret}
            self._post("webhooks", {**order, "merchant_id": shop.account_id})

    def _post(self, route: str, body: dict[str, Any]) -> None:
        self._control.post(route, json=body).raise_for_status()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Keeps one delivery and acknowledges it."""
        assert scope["type"] == "http"
        body, is_whole = b"", False
        while not is_whole:
            message = await receive()
            body += message.get("body", b"")
            is_whole = not message.get("more_body")
        path = scope["path"]
        headers = tuple(each for each in scope["headers"] if each[0] not in _OF_THE_CONNECTION)
        pos_system = self._pos_systems[path.rpartition("/api/")[2]]
        self._kept.setdefault((path, body), Sent(pos_system, path, headers, body))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})


@contextmanager
def capturing(url: str, shops: Sequence[Shop]) -> Iterator[Capture]:
    """Keeps what the vendors of these shops send, while the block runs.

    Args:
        url: of the sandbox.
    """
    with httpx.Client(base_url=f"{url}/_sandbox", timeout=2 * _WAIT_SECONDS, trust_env=False) as control:
        capture = Capture(control, shops)
        with in_thread(capture) as base:
            capture.listen(base)
            yield capture
