"""From a sale in a sandbox to its rows, by the vendors' own webhooks and without a poll."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from pipelines.drain import drain
from pos_cli.commands.configurations import connect_account
from pos_cli.demo.tie_out import compare
from pos_cli.sandbox import accounts, control, sandbox_environment
from pos_core.repositories.configurations import Configuration
from pos_core.settings import get_settings
from sandbox.engine import Options
from sandbox.hosting import in_thread
from tests.conftest import Project
from tests.pipelines.deliveries import SIGNED
from tests.sandbox.hooked import SECRETS

POS_SYSTEMS = tuple(SECRETS)


class Shops:
    """A sandbox whose webhooks reach the service, and its accounts, synced once."""

    def __init__(self, project: Project, url: str, service: str) -> None:
        self.project = project
        self.url = url
        self.service = service
        self.accounts = accounts(url)
        self.configurations = {each["account_id"]: self._connect(each) for each in self.accounts}

    def _connect(self, account: dict[str, Any]) -> Configuration:
        given = dict(account["credentials"])
        if account["pos_system"] == "lightspeed":
            given["webhook_secret"] = SECRETS["lightspeed"]
        return connect_account(UUID(account["tenant_id"]), account["pos_system"], account["name"], given)[0]

    def listen(self) -> None:
        """Has the vendors tell the service."""
        for account in self.accounts:
            name, merchant = account["pos_system"], account["account_id"]
            url = f"{self.service}/api/v1/webhooks/{name}"
            order = {"pos_system": name, "secret": SECRETS[name]}
            if name == "lightspeed":
                order |= {"url": f"{url}/{self.configurations[merchant].id}", "merchant_id": merchant}
            control(self.url, "POST", "webhooks", order | {"url": order.get("url", url)})

    def sell(self, pos_system: str, count: int = 3) -> None:
        """Sells in each account of a POS and waits until all is told."""
        for account in self.accounts:
            if account["pos_system"] == pos_system:
                control(self.url, "POST", "sell", {"merchant_id": account["account_id"], "count": count})

    def journal(self) -> dict[str, Any]:
        """The sender's journal once nothing is on its way."""
        found: dict[str, Any] = control(self.url, "GET", "webhooks?wait_seconds=30")
        return found

    def drain(self) -> None:
        """Works off what waits."""
        for _ in drain(self.project.context, self.project.home / "dbt", None, 30):
            pass

    def differences(self) -> list[Any]:
        """What the marts have other than the sandbox sold."""
        return list(compare(self.project.engine, control(self.url, "GET", "truth")))


@pytest.fixture
def shops(project: Project, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shops]:
    """All accounts connected, synced and listening."""
    service = str(client.base_url).rstrip("/")
    monkeypatch.setenv("WEBHOOK_BASE_URL", service)
    monkeypatch.setenv("SQUARE_WEBHOOK_SIGNATURE_KEY", SECRETS["square"])
    monkeypatch.setenv("TOAST_WEBHOOK_SECRET", SECRETS["toast"])
    get_settings.cache_clear()
    with in_thread(Options(seed=7, scale="small")) as url:
        for name, value in sandbox_environment(url).items():
            monkeypatch.setenv(name, value)
        made = Shops(project, url, service)
        project.sync(*made.configurations.values())
        project.normalise()
        assert made.differences() == []
        made.listen()
        yield made


@pytest.mark.parametrize("pos_system", POS_SYSTEMS)
def test_a_sale_is_in_the_tables_without_a_poll(shops: Shops, pos_system: str) -> None:
    before = shops.project.value("select count(*) from pos_transactions")
    shops.sell(pos_system)
    journal = shops.journal()
    assert {each["state"] for each in journal["events"]} == {"acknowledged"}
    shops.drain()
    assert shops.project.value("select count(*) from pos_transactions") > before
    assert shops.differences() == []
    rows = shops.project.rows("select distinct outcome, visible_at is null as unseen from pos_webhook_logs")
    assert {(row["outcome"], row["unseen"]) for row in rows} <= {("processed", False), ("ignored", True)}


def test_dropped_doubled_and_shuffled_events_end_with_the_truth_after_the_next_poll(shops: Shops) -> None:
    faults = {"drop": 0.3, "duplicate": 0.3, "is_shuffled": True}
    control(shops.url, "POST", "webhooks", faults)
    for pos_system in POS_SYSTEMS:
        shops.sell(pos_system)
    control(shops.url, "POST", "edits", {})
    journal = shops.journal()
    states = {each["state"] for each in journal["events"]}
    assert states == {"acknowledged", "dropped"}
    shops.drain()
    shops.project.sync(*shops.configurations.values())
    shops.project.normalise()
    assert shops.differences() == []
    acknowledged = {
        each["event_id"]
        for each in journal["events"]
        if each["state"] == "acknowledged" and each["pos_system"] in SIGNED  # the others' events have no id
    }
    kept = {row["event_id"] for row in shops.project.rows("select event_id from pos_webhook_logs")}
    assert kept >= acknowledged
    assert shops.project.rows("select * from pos_webhook_logs where outcome = 'pending'") == []


def test_a_second_drain_has_nothing_to_do(shops: Shops) -> None:
    shops.sell("square")
    shops.journal()
    shops.drain()
    marts = shops.project.marts()
    assert list(drain(shops.project.context, shops.project.home / "dbt", None, 30)) == []
    assert shops.project.marts() == marts
    gate = shops.project.rows("select is_active, is_dirty from pos_webhook_gate")
    assert gate == [{"is_active": False, "is_dirty": False}]
