"""Determinism, restarts, injected documents, faults: what a sandbox does beside answering."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from sandbox.engine import Options, open_world
from sandbox.lightspeed.driver import Driver, running, serving
from sandbox.lightspeed.server import LightspeedServer


def history(driver: Driver) -> list[bytes]:
    """Everything a sandbox says, before and after a round of edits and some sales."""
    said: list[bytes] = []
    for _ in range(2):
        for account in range(2):
            said.append(json.dumps(driver.sales(account), default=str).encode())
            # A list names its own address, and every sandbox has another one.
            said.append(driver.get("/f/data/businesses", account).content.replace(driver.url.encode(), b""))
        said.append(driver.http.get("/_sandbox/truth").content)
        said.append(json.dumps(driver.edit()).encode())
        sold = driver.control("sell", {"merchant_id": driver.account_id(1), "count": 3})
        said.append(json.dumps(sold).encode())
    return said


def test_two_processes_answer_the_same() -> None:
    with running("--scale", "small", "--seed", "5", hash_seed="1") as one:
        first = history(one)
    with running("--scale", "small", "--seed", "5", hash_seed="2") as other:
        second = history(other)
    assert first == second


def test_what_was_asked_before_does_not_change_what_is_answered() -> None:
    with serving(Options(scale="small")) as asked, serving(Options(scale="small")) as silent:
        asked.sales()
        asked.truth(1)
        assert asked.edit() == silent.edit()
        assert asked.truth() == silent.truth()
        assert asked.sales(1) == silent.sales(1)


def test_another_seed_sells_other_bread() -> None:
    first, second = Options(scale="small", seed=1), Options(scale="small", seed=2)
    with serving(first) as one, serving(second) as other:
        assert not set(one.sales()) & set(other.sales())
        assert one.locations() != other.locations()


def test_a_restart_has_the_same_state(tmp_path: Path) -> None:
    with serving(Options(scale="small"), tmp_path) as driver:
        driver.edit()
        driver.control("sell", {"merchant_id": driver.account_id(1), "count": 4})
        driver.control("clock", {"advance_seconds": 77})
        inject(driver, '{"accountReference":"kept"}')
        said = [(driver.truth(account), driver.sales(account)) for account in range(2)]
    with serving(Options(scale="small"), tmp_path) as driver:
        assert [(driver.truth(account), driver.sales(account)) for account in range(2)] == said
        assert driver.control("edits")["round"] == 2


def test_scales() -> None:
    for options, counts in (
        (Options(only="lightspeed"), [800, 400]),
        (Options(scale="small", only="lightspeed"), [60, 60]),
        (Options(merchants=4, orders=200, only="lightspeed"), [50] * 4),
        (Options(scale="large", orders=3_000, only="lightspeed"), [3_000]),
    ):
        world, _ = open_world(options)
        server = world.servers["lightspeed"]
        assert isinstance(server, LightspeedServer)
        written = [len(book.accounts) for book in server.books.values()]
        assert len(written) == len(counts)
        # A correction that finds nothing to correct is one account instead of two.
        assert all(0.95 * wanted <= count <= wanted for wanted, count in zip(counts, written, strict=True))
        assert len({each.tenant_id for each in world.merchants.values()}) == len(counts)


def test_every_other_chain_is_of_the_other_generation() -> None:
    with serving(Options(merchants=4, orders=80)) as driver:
        assert [each["generation"] for each in driver.credentials] == ["V1", "V2", "V1", "V2"]
        assert len({driver.account_id(account) for account in range(4)}) == 4


def inject(driver: Driver, text: str, stream: str = "sales") -> httpx.Response:
    """Injects a document into the first account."""
    query = {"merchant_id": driver.account_id(), "stream": stream}
    return driver.http.post("/_sandbox/inject", params=query, content=text)


POISON = [
    '{"accountReference":"nul","note":"a\\u0000b"}',
    '{"accountReference":"lone","note":"\\ud800"}',
    '{"accountReference":"huge","nbCovers":1e400}',
    '{"accountReference": "spaced" ,  "nbCovers":1.50}',
    '{"note":"no id at all"}',
    '{"accountReference":"odd","timeClosed":"soon"}',
    "[not json",
]


@pytest.mark.parametrize("text", POISON)
def test_a_document_comes_back_verbatim_as_the_newest_sale(fresh: Driver, text: str) -> None:
    assert inject(fresh, text).json()["id"]
    path = f"/f/v2/business-location/{fresh.locations()[0]}"
    sales = fresh.get(f"{path}/sales", from_="2026-04-12T17:59:50Z")
    assert sales.content.startswith(b'{"sales":[' + text.encode() + b"]")
    day = fresh.get(f"{path}/sales-daily", date="2026-04-12")
    assert text.encode() + b"]" in day.content


def test_an_injected_document_hides_the_account_of_its_reference(fresh: Driver) -> None:
    key, sale = next(iter(fresh.sales().items()))
    changed = {"accountReference": key, "timeClosed": sale["timeClosed"], "type": "SALE", "salesLines": []}
    inject(fresh, json.dumps(changed))
    after = fresh.sales()
    assert after[key] == changed
    assert set(after) == set(fresh.truth())
    inject(fresh, json.dumps({"accountFiscId": sale["accountFiscId"]}))
    assert key not in fresh.sales()
    assert len(fresh.sales()) == len(after)


def test_unknown_streams_are_refused(fresh: Driver) -> None:
    assert inject(fresh, "{}", "weather").status_code == 400


def test_settings_of_nobody_are_refused(fresh: Driver) -> None:
    answer = fresh.http.post("/_sandbox/settings", json={"short_pages": 0})
    assert answer.status_code == 400
    assert fresh.http.post("/_sandbox/settings", json={}).json() == {"lightspeed": {}}


FAULTS = [
    (400, {"error"}),
    (401, {"errors"}),
    (403, {"timestamp", "status", "error", "message", "path"}),
    (404, {"timestamp", "status", "error", "message", "path"}),
    (429, {"timestamp", "status", "error", "message", "path"}),
    (500, {"timestamp", "path", "status", "error", "requestId"}),
    (503, {"timestamp", "status", "error", "message", "path"}),
]


@pytest.mark.parametrize(("status", "keys"), FAULTS)
def test_each_refusal_has_the_body_of_its_service(fresh: Driver, status: int, keys: set[str]) -> None:
    fresh.control("faults", {"kind": "status", "status": status, "count": 1})
    answer = fresh.get("/f/data/businesses")
    assert (answer.status_code, set(answer.json())) == (status, keys)
    assert fresh.get("/f/data/businesses").status_code == 200


def test_a_refusal_can_have_no_body_at_all(fresh: Driver) -> None:
    fault = {"kind": "status", "status": 503, "is_empty": True, "retry_after": 2, "count": 1}
    fresh.control("faults", fault)
    answer = fresh.get("/f/data/businesses")
    assert (answer.status_code, answer.content) == (503, b"")
    assert "content-type" not in answer.headers
    assert answer.headers["retry-after"] == "2"


def test_faults_reach_the_token_service_of_one_account(fresh: Driver) -> None:
    order = {"kind": "status", "status": 503, "merchant_id": fresh.account_id(1)}
    fresh.control("faults", order)
    assert fresh.refresh(0).status_code == 200
    assert fresh.refresh(1).status_code == 503
    fresh.http.delete("/_sandbox/faults")
    # What was refused on the way did not spend the token.
    assert fresh.refresh(1).status_code == 200
