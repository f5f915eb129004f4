"""A sandbox that sends here, from both sides: what the vendor has, and what our receiver would accept."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from pipelines.connector import Connector
from pipelines.http import VendorHttp
from pipelines.registration import Registered, register, rotate
from pipelines.registry import get_connector
from pipelines.webhook import Delivery, Registration, Subscription
from pos_core.settings import get_settings
from pos_core.vault import NOBODY
from sandbox.square.oauth import OWNER_ACCESS_TOKEN
from tests.conftest import Project
from tests.pipelines.scripted import Request
from tests.sandbox.hooked import Hooked

PATH = "/v2/webhooks/subscriptions"


@dataclass(frozen=True)
class Registry:
    """The vendor's subscriptions and ours."""

    project: Project
    world: Hooked
    patch: pytest.MonkeyPatch
    owner: httpx.Client

    def address(self, base_url: str) -> None:
        """Sets WEBHOOK_BASE_URL."""
        self.patch.setenv("WEBHOOK_BASE_URL", base_url)
        get_settings.cache_clear()

    def register(self, connector: Connector | None = None) -> Registered:
        """One run of registering."""
        return register(self.project.engine, self.project.vault, connector or get_connector("square"))

    def rotate(self, connector: Connector | None = None) -> Registered:
        """One run of replacing the key."""
        return rotate(self.project.engine, self.project.vault, connector or get_connector("square"))

    def subscriptions(self) -> list[dict[str, Any]]:
        """What the vendor has, each with its key."""
        listed = self.owner.get(PATH, params={"include_disabled": "true"}).raise_for_status().json()
        return [self._one(each["id"]) for each in listed["subscriptions"]]

    def subscription(self) -> dict[str, Any]:
        """The only one that the vendor has."""
        [found] = self.subscriptions()
        return found

    def change(self, external_id: str, **changes: Any) -> None:
        """Somebody changes a subscription at the vendor."""
        body = {"subscription": changes}
        self.owner.put(f"{PATH}/{external_id}", json=body).raise_for_status()

    def make(self, **given: Any) -> str:
        """Somebody makes a subscription at the vendor; returns its id."""
        body = {"subscription": {"event_types": ["payment.created"], **given}}
        made: str = self.owner.post(PATH, json=body).raise_for_status().json()["subscription"]["id"]
        return made

    def keys(self) -> dict[str, str]:
        """The signature keys that are stored."""
        [row] = self.project.rows("select id, keys_sealed from pos_webhook_subscriptions")
        opened = self.project.vault.open(NOBODY, row["id"], row["keys_sealed"])
        return {name: str(key) for name, key in opened.items()}

    def deliveries(self) -> list[Request]:
        """Sells, and returns what was sent here because of it."""
        before = len(self.world.receiver.requests)
        self.world.sell("square")
        self.world.journal()
        return self.world.receiver.requests[before:]

    def accepts(self, request: Request) -> bool:
        """Whether what the receiver asks the database for verifies a request."""
        rows = self.project.rows("select * from pos_webhook_keys('square')")
        opened = [
            (row["url"], self.project.vault.open(NOBODY, row["id"], row["keys_sealed"])) for row in rows
        ]
        verify = get_connector("square").webhook.verify
        return any(
            verify(Delivery(request.body, request.headers, url), [str(key) for key in keys.values()])
            for url, keys in opened
        )

    def _one(self, external_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.owner.get(f"{PATH}/{external_id}").json()["subscription"]
        return found


def with_api(change: Callable[[Registration], Registration]) -> Connector:
    """The connector with another API."""
    connector = get_connector("square")
    api = connector.webhook.registration
    assert api is not None
    return replace(connector, webhook=replace(connector.webhook, registration=change(api)))


def forgetful() -> Connector:
    """The connector at a vendor that tells a key only when it makes one."""

    def change(api: Registration) -> Registration:
        def read(http: VendorHttp, external_id: str) -> Subscription:
            return replace(api.read(http, external_id), key=None)

        return replace(api, read=read)

    return with_api(change)


def owner_client(url: str) -> httpx.Client:
    """The owner of the application."""
    headers = {"Authorization": f"Bearer {OWNER_ACCESS_TOKEN}"}
    return httpx.Client(base_url=url, headers=headers, trust_env=False)
