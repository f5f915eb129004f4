"""The same seed sells the same bread: across processes, hash seeds, restarts and scales."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.engine import Options, WorldError, open_world
from sandbox.square.driver import Driver, running, serving


def history(driver: Driver) -> list[bytes]:
    """Everything a sandbox says, before and after a round of edits and some sales."""
    said: list[bytes] = []
    for _ in range(2):
        for account in range(len(driver.accounts)):
            said.append(driver.search(driver.search_body(account, limit=1000), account).content)
            said.append(driver.get("/v2/payments", account).content)
            said.append(driver.get("/v2/refunds", account).content)
            said.append(driver.get("/v2/catalog/list", account).content)
        said.append(driver.http.get("/_sandbox/truth").content)
        said.append(driver.http.post("/_sandbox/edits", json={}).content)
        driver.control("sell", {"merchant_id": driver.merchant_id(), "count": 3})
    return said


def test_two_processes_answer_the_same_bytes() -> None:
    with running("--scale", "small", "--seed", "5", hash_seed="1") as one:
        first = history(one)
    with running("--scale", "small", "--seed", "5", hash_seed="2") as other:
        second = history(other)
    assert first == second


def test_what_was_asked_before_does_not_change_what_is_answered() -> None:
    with serving(Options(scale="small")) as asked, serving(Options(scale="small")) as silent:
        asked.orders()
        asked.payments()
        asked.truth()
        assert asked.control("edits", {}) == silent.control("edits", {})
        assert asked.truth() == silent.truth()
        assert asked.payments() == silent.payments()


def test_another_seed_sells_other_bread() -> None:
    first, second = Options(scale="small", seed=1), Options(scale="small", seed=2)
    with serving(first) as one, serving(second) as other:
        assert not set(one.orders()) & set(other.orders())
        assert one.accounts[0]["tenant_id"] != other.accounts[0]["tenant_id"]


def test_a_restart_has_the_same_state(tmp_path: Path) -> None:
    with serving(Options(scale="small"), tmp_path) as driver:
        driver.control("edits", {})
        driver.control("sell", {"merchant_id": driver.merchant_id(1), "count": 4})
        driver.control("clock", {"advance_seconds": 77})
        driver.control("tokens", {"merchant_id": driver.merchant_id(1), "state": "expired"})
        query = {"merchant_id": driver.merchant_id(), "stream": "orders"}
        driver.http.post("/_sandbox/inject", params=query, content='{"id":"x","n":"\\ud800"}')
        truth, orders, now = driver.truth(), driver.orders(), driver.now()
    with serving(Options(scale="small"), tmp_path) as driver:
        assert (driver.truth(), driver.orders(), driver.now()) == (truth, orders, now)
        assert driver.code(driver.get("/v2/locations", 1)) == (401, "ACCESS_TOKEN_EXPIRED")
        assert driver.control("edits", {})["round"] == 2


def test_a_state_folder_belongs_to_one_world(tmp_path: Path) -> None:
    open_world(Options(scale="small"), folder=tmp_path)
    with pytest.raises(WorldError, match="another world"):
        open_world(Options(scale="small", seed=8), folder=tmp_path)
    (tmp_path / "commands.jsonl").write_text("{half a li")
    with pytest.raises(WorldError, match="damaged"):
        open_world(Options(scale="small"), folder=tmp_path)


def test_scales() -> None:
    demo, _ = open_world(Options(only="square"))
    counts = [len(merchant.sales) for merchant in demo.merchants.values()]
    assert 3_300 <= sum(counts) <= 3_700
    assert [len(merchant.shops) for merchant in demo.merchants.values()] == [12, 2, 1]
    assert {merchant.market.currency for merchant in demo.merchants.values()} == {"USD", "EUR"}
    many, _ = open_world(Options(merchants=40, orders=410, only="square"))
    assert [len(merchant.shops) for merchant in many.merchants.values()] == [1] * 40
    assert sum(len(merchant.sales) for merchant in many.merchants.values()) == 410
    assert len({merchant.tenant_id for merchant in many.merchants.values()}) == 40
    large, _ = open_world(Options(scale="large", orders=5_000, only="square"))
    assert sum(len(merchant.sales) for merchant in large.merchants.values()) == 5_000
