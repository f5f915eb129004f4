"""The same seed sells the same bread: across processes, hash seeds, restarts and scales."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.engine import Options, open_world
from sandbox.toast.chains import CHAINS
from sandbox.toast.driver import BULK, Driver, running, serving
from sandbox.world import UNITED_STATES

WINDOW: dict[str, Any] = {
    "startDate": "2026-03-16T00:00:00.000+0000",
    "endDate": "2026-04-15T00:00:00.000+0000",
}


def history(driver: Driver) -> list[bytes]:
    """Everything a sandbox says, before and after a round of edits and some sales."""
    said: list[bytes] = []
    for _ in range(2):
        driver.forget_tokens()
        for account in range(2):
            said.append(driver.login(account).content)
            for path in (
                "/config/v2/serviceCharges",
                f"/restaurants/v1/restaurants/{driver.restaurant(account)}",
            ):
                said.append(driver.get(path, account).content)
            said.append(driver.get(BULK, account, **WINDOW).content)
            said.append(driver.get("/orders/v2/payments", account, paidBusinessDate="20260410").content)
        said.append(driver.http.get("/_sandbox/truth").content)
        said.append(driver.http.post("/_sandbox/edits", json={}).content)
        driver.control("sell", {"merchant_id": driver.account_id(), "count": 3})
    return said


def test_two_processes_answer_the_same_bytes() -> None:
    with running("--scale", "small", "--seed", "5", hash_seed="1") as one:
        first = history(one)
    with running("--scale", "small", "--seed", "5", hash_seed="2") as other:
        second = history(other)
    assert first == second
    assert len(set(first)) > 10


def test_what_was_asked_before_does_not_change_what_is_answered() -> None:
    with serving(Options(scale="small")) as asked, serving(Options(scale="small")) as silent:
        asked.orders()
        asked.truth()
        asked.read("/orders/v2/payments", paidBusinessDate="20260410")
        for _ in range(2):
            assert asked.control("edits") == silent.control("edits")
        asked.forget_tokens()
        assert asked.orders() == silent.orders()
        assert asked.truth() == silent.truth()


def test_another_seed_sells_other_bread() -> None:
    first, second = Options(scale="small", seed=1), Options(scale="small", seed=2)
    with serving(first) as one, serving(second) as other:
        assert not set(one.orders()) & set(other.orders())
        assert one.account_id() != other.account_id()
        assert one.accounts[0]["credentials"] != other.accounts[0]["credentials"]


def test_a_restart_has_the_same_state(tmp_path: Path) -> None:
    with serving(Options(scale="small"), tmp_path) as driver:
        driver.control("edits")
        driver.control("sell", {"merchant_id": driver.account_id(), "count": 4})
        driver.control("clock", {"advance_seconds": 77})
        driver.control("settings", {"config_page_size": 2})
        query = {"merchant_id": driver.account_id(), "stream": "orders"}
        driver.http.post("/_sandbox/inject", params=query, content='{"guid":"x","n":"\\ud800"}')
        truth, orders, now = driver.truth(), driver.orders(), driver.now()
        settings = driver.control("settings")
    with serving(Options(scale="small"), tmp_path) as driver:
        assert (driver.truth(), driver.orders(), driver.now()) == (truth, orders, now)
        assert driver.control("settings") == settings
        assert driver.control("edits")["round"] == 2


def test_the_chains_of_every_scale_are_american_and_their_own() -> None:
    names = [name for chains in CHAINS.values() for name, _, _ in chains]
    assert len(names) == len(set(names))
    assert {market.country for chains in CHAINS.values() for _, market, _ in chains} == {"US"}
    assert all(market is UNITED_STATES for chains in CHAINS.values() for _, market, _ in chains)
    for scale in ("demo", "one"):
        zones = {zone for _, _, towns in CHAINS[scale] for _, zone in towns}
        assert zones == {"America/New_York", "America/Chicago"}


def test_scales() -> None:
    def orders(options: Options) -> list[int]:
        world, _ = open_world(options)
        server = world.servers["toast"]
        return [
            len({row["parent_external_id"] or row["external_id"] for row in server.transactions(each, 0)})
            for each in world.merchants.values()
        ]

    # Some orders have several checks.
    assert [900 <= orders(Options(only="toast"))[0] <= 960, len(orders(Options(only="toast")))] == [True, 2]
    many = orders(Options(merchants=20, orders=210, only="toast"))
    assert len(many) == 20
    assert sum(many) >= 210
    assert sum(orders(Options(scale="large", orders=1_000, only="toast"))) >= 1_000
