"""Tokens that are refused, and faults on demand."""

from __future__ import annotations

import httpx
import pytest

from sandbox.square.driver import Driver


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "x"}])
def test_a_wrong_token_is_unauthorized(shared: Driver, header: dict[str, str]) -> None:
    answer = shared.http.get("/v2/locations", headers=header)
    assert shared.code(answer) == (401, "UNAUTHORIZED")
    assert answer.json()["errors"][0]["category"] == "AUTHENTICATION_ERROR"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("expired", (401, "ACCESS_TOKEN_EXPIRED")),
        ("revoked", (401, "ACCESS_TOKEN_REVOKED")),
        ("insufficient_scopes", (403, "INSUFFICIENT_SCOPES")),
    ],
)
def test_a_token_can_go_bad_and_come_back(fresh: Driver, state: str, expected: tuple[int, str]) -> None:
    order = {"merchant_id": fresh.merchant_id(), "state": state}
    fresh.control("tokens", order)
    assert fresh.code(fresh.get("/v2/locations")) == expected
    assert fresh.get("/v2/locations", 1).status_code == 200
    status = fresh.post("/oauth2/token/status", {})
    assert (status.status_code == 200) is (state == "insufficient_scopes")
    fresh.control("tokens", {**order, "state": "valid"})
    assert fresh.get("/v2/locations").status_code == 200


def test_token_status_names_scopes_and_merchant(shared: Driver) -> None:
    answer = shared.post("/oauth2/token/status", {}).json()
    assert answer["merchant_id"] == shared.merchant_id()
    assert "ORDERS_READ" in answer["scopes"]


def test_the_version_is_echoed(shared: Driver) -> None:
    headers = {**shared.headers(), "Square-Version": "2025-08-20"}
    answer = shared.http.get("/v2/locations", headers=headers)
    assert answer.headers["square-version"] == "2025-08-20"
    headers["Square-Version"] = "latest"
    assert shared.code(shared.http.get("/v2/locations", headers=headers)) == (400, "BAD_REQUEST")


def test_a_path_that_does_not_exist_is_not_found(shared: Driver) -> None:
    assert shared.code(shared.get("/v2/loaves")) == (404, "NOT_FOUND")


def test_rate_limiting_with_and_without_retry_after(fresh: Driver) -> None:
    fault = {"path": "/v2/orders/search", "kind": "status", "status": 429, "count": 1}
    fresh.control("faults", {**fault, "retry_after": 2})
    fresh.control("faults", fault)
    told, silent, fine = (fresh.search(fresh.search_body()) for _ in range(3))
    assert fresh.code(told) == fresh.code(silent) == (429, "RATE_LIMITED")
    assert told.headers["retry-after"] == "2"
    assert "retry-after" not in silent.headers
    assert told.headers["date"]
    assert fine.status_code == 200


def test_a_fault_can_be_for_one_merchant(fresh: Driver) -> None:
    order = {"kind": "status", "status": 503, "merchant_id": fresh.merchant_id(1)}
    fresh.control("faults", order)
    assert fresh.get("/v2/locations").status_code == 200
    assert fresh.code(fresh.get("/v2/locations", 1)) == (503, "SERVICE_UNAVAILABLE")
    fresh.http.delete("/_sandbox/faults")
    assert fresh.get("/v2/locations", 1).status_code == 200


def test_a_rate_hits_some_requests_and_always_the_same_ones(fresh: Driver) -> None:
    fresh.control("faults", {"kind": "status", "status": 500, "rate": 0.4})
    codes = [fresh.get("/v2/merchants").status_code for _ in range(30)]
    hits = codes.count(500)
    assert 3 < hits < 25
    assert fresh.http.get("/_sandbox/faults").json()[0]["happened"] == hits


def test_a_connection_is_torn_off_in_the_middle(fresh: Driver) -> None:
    fresh.control("faults", {"kind": "reset", "path": "/v2/orders/search", "count": 1})
    with pytest.raises(httpx.TransportError):
        fresh.search(fresh.search_body())
    assert fresh.search(fresh.search_body()).status_code == 200


def test_a_body_is_cut(fresh: Driver) -> None:
    fresh.control("faults", {"kind": "truncate", "path": "/v2/orders/search", "count": 1})
    whole = fresh.search_body()
    cut = fresh.search(whole)
    assert cut.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|Invalid"):
        cut.json()
    assert fresh.search(whole).content.startswith(cut.content)


def test_an_answer_is_slow(fresh: Driver) -> None:
    fresh.control("faults", {"kind": "slow", "path": "/v2/locations", "seconds": 30, "count": 1})
    patience = httpx.Timeout(30, read=0.2)
    with pytest.raises(httpx.ReadTimeout):
        fresh.http.get("/v2/locations", headers=fresh.headers(), timeout=patience)
    assert fresh.get("/v2/locations").status_code == 200


@pytest.mark.parametrize("order", [{"kind": "flood"}, {"kind": "status", "status": 200}])
def test_faults_that_make_no_sense_are_refused(fresh: Driver, order: dict[str, object]) -> None:
    assert fresh.http.post("/_sandbox/faults", json=order).status_code == 400


def test_calls_are_counted_by_path_and_merchant(fresh: Driver) -> None:
    fresh.get("/v2/locations")
    fresh.get("/v2/locations")
    fresh.get("/v2/locations", 1)
    calls = {
        (each["path"], each["merchant_id"]): each["count"]
        for each in fresh.http.get("/_sandbox/calls").json()
    }
    assert calls == {
        ("/v2/locations", fresh.merchant_id(0)): 2,
        ("/v2/locations", fresh.merchant_id(1)): 1,
    }
    fresh.http.delete("/_sandbox/calls")
    assert fresh.http.get("/_sandbox/calls").json() == []
