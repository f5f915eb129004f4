"""A sandbox that sends webhooks, and who receives them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from pipelines.registry import get_connector
from pipelines.webhook import Delivery, Event
from sandbox.engine import Options
from sandbox.hosting import in_thread
from tests.pipelines.scripted import Request, ScriptedVendor, scripted

SECRETS = {
    "square": "key-of-the-sandbox",
    "toast": "secret-of-the-sandbox",
    "lightspeed": "till:of-the-sandbox",
}
PATH = "/api/v1/webhooks"


class Hooked:
    """One sandbox and one receiver of its webhooks."""

    def __init__(self, url: str, receiver: ScriptedVendor) -> None:
        """Connects to both."""
        self.url = url
        self.receiver = receiver
        self.http = httpx.Client(base_url=f"{url}/_sandbox", timeout=60, trust_env=False, verify=False)
        self.accounts: list[dict[str, Any]] = self.http.get("/accounts").json()

    def address(self, pos_system: str) -> str:
        """Where the webhooks of a POS go."""
        return f"{self.receiver.url}{PATH}/{pos_system}"

    def listen(self, *pos_systems: str, **order: Any) -> None:
        """Has the receiver told of what POS systems tell."""
        for name in pos_systems:
            target = {"pos_system": name, "url": self.address(name), "secret": SECRETS[name]}
            self.order({**target, **order})

    def order(self, body: dict[str, Any]) -> None:
        """One control request that must succeed."""
        self.http.post("/webhooks", json=body).raise_for_status()

    def account(self, pos_system: str, number: int = 0) -> dict[str, Any]:
        """An account of a POS."""
        return [each for each in self.accounts if each["pos_system"] == pos_system][number]

    def sell(self, pos_system: str, count: int = 1, number: int = 0) -> list[str]:
        """Sells, and says which documents that made."""
        body = {"merchant_id": self.account(pos_system, number)["account_id"], "count": count}
        created: list[str] = self.http.post("/sell", json=body).raise_for_status().json()["created"]
        return created

    def edit(self) -> list[dict[str, Any]]:
        """Runs a round of edits, and says what it did to each account."""
        edited: list[dict[str, Any]] = (
            self.http.post("/edits", json={}).raise_for_status().json()["merchants"]
        )
        return edited

    def journal(self, wait_seconds: int = 30) -> dict[str, Any]:
        """The journal once nothing is on its way any more."""
        query = {"wait_seconds": wait_seconds}
        found: dict[str, Any] = self.http.get("/webhooks", params=query).raise_for_status().json()
        return found

    def bodies(self) -> list[Any]:
        """What the receiver got."""
        return [json.loads(each.body) for each in self.receiver.requests]


def delivery_of(hooked: Hooked, request: Request) -> tuple[str, Delivery]:
    """A request as our own code gets it, with its POS."""
    name = request.path.rpartition("/")[2]
    return name, Delivery(request.body, request.headers, hooked.address(name))


def understood(hooked: Hooked) -> list[tuple[str, Event]]:
    """What our own code reads of all that was received, each verified."""
    found = []
    for request in hooked.receiver.requests:
        name, delivery = delivery_of(hooked, request)
        webhook = get_connector(name).webhook
        assert webhook.verify(delivery, ["another:one", SECRETS[name]])
        assert not webhook.verify(delivery, ["another:one"])
        found.append((name, webhook.read(delivery)))
    return found


@contextmanager
def hooked(seed: int = 7, only: str | None = None) -> Iterator[Hooked]:
    """A small sandbox and a receiver that answers 200 until it is told otherwise."""
    with scripted() as receiver, in_thread(Options(seed=seed, scale="small", only=only)) as url:
        found = Hooked(url, receiver)
        try:
            yield found
        finally:
            found.http.close()
