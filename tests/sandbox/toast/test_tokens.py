"""Logins: one token a day, the same until its last minute, few of them an hour."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import WORLD_END
from sandbox.engine import Options
from sandbox.toast.driver import BULK, LOGIN, Driver, serving

ANY_DAY: dict[str, Any] = {"businessDate": "20260401"}
DAY_SECONDS = 86_400


def token_of(driver: Driver, account: int = 0) -> tuple[str, int]:
    """A login's token and for how long it is good."""
    token = driver.login(account).raise_for_status().json()["token"]
    return str(token["accessToken"]), int(token["expiresIn"])


def claims_of(token: str) -> dict[str, Any]:
    """What a token says."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def status(driver: Driver, token: str) -> int:
    """How a request with a token is answered."""
    headers = {**driver.headers(), "Authorization": f"Bearer {token}"}
    return driver.http.get(BULK, params=ANY_DAY, headers=headers).status_code


def test_a_second_login_gives_the_same_token_with_the_seconds_that_are_left(fresh: Driver) -> None:
    token, left = token_of(fresh)
    assert left == DAY_SECONDS
    fresh.control("clock", {"advance_seconds": 1_000})
    assert token_of(fresh) == (token, DAY_SECONDS - 1_000)
    fresh.control("clock", {"advance_seconds": DAY_SECONDS - 1_000 - 60})
    assert token_of(fresh) == (token, 60)


def test_in_its_last_minute_a_token_is_replaced_and_still_good(fresh: Driver) -> None:
    old, _ = token_of(fresh)
    fresh.control("clock", {"advance_seconds": DAY_SECONDS - 59})
    new, left = token_of(fresh)
    assert new != old
    assert left == DAY_SECONDS
    assert (status(fresh, old), status(fresh, new)) == (200, 200)
    fresh.control("clock", {"advance_seconds": 59})
    assert (status(fresh, old), status(fresh, new)) == (401, 200)


def test_a_token_tells_its_group_its_scopes_and_its_end(fresh: Driver) -> None:
    own, partner = claims_of(fresh.token(0)), claims_of(fresh.token(1))
    assert own["https://toasttab.com/management_set_guid"] == fresh.account_id(0)
    assert "orders:read" in own["scope"]
    assert own["exp"] * 1_000 == WORLD_END + DAY_SECONDS * 1_000
    assert "https://toasttab.com/partner_guid" not in own
    assert "https://toasttab.com/partner_guid" in partner
    assert fresh.login().json()["token"]["scope"] is None


@pytest.mark.parametrize(
    "change", [{"clientSecret": "wrong"}, {"clientId": "nobody"}, {"userAccessType": "GUEST"}]
)
def test_wrong_credentials_are_refused(shared: Driver, change: dict[str, Any]) -> None:
    answer = shared.login(**change)
    assert answer.status_code == 401
    assert answer.json()["status"] == 401
    assert shared.accounts[0]["credentials"]["client_secret"] not in answer.text


def test_a_login_without_a_body_is_refused(shared: Driver) -> None:
    assert shared.http.post(LOGIN, content=b"{half").status_code == 401
    assert shared.http.post(LOGIN, content=b"[]").status_code == 401


@pytest.mark.parametrize("token", ["x", "nonsense", "a.b.c", "a.eyJzdWIiOiJ4In0.c"])
def test_a_made_up_token_is_refused(shared: Driver, token: str) -> None:
    assert status(shared, token) == 401


def test_a_token_that_was_changed_is_refused(shared: Driver) -> None:
    head, payload, mark = shared.token().split(".")
    other = shared.token(1).split(".")[1]
    assert status(shared, f"{head}.{other}.{mark}") == 401
    assert status(shared, f"{head}.{payload}.{mark[::-1]}") == 401
    assert status(shared, shared.token()) == 200


def test_a_third_login_within_an_hour_is_refused_while_the_rule_is_on(fresh: Driver) -> None:
    fresh.control("settings", {"logins_per_hour": 2})
    assert fresh.login().status_code == 200
    fresh.control("clock", {"advance_seconds": 600})
    assert fresh.login().status_code == 200
    refused = fresh.login()
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "3000"
    assert fresh.login(1).status_code == 200
    fresh.control("clock", {"advance_seconds": 2_999})
    assert fresh.login().status_code == 429
    fresh.control("clock", {"advance_seconds": 1})
    assert fresh.login().status_code == 200


def test_logins_are_counted_like_every_call(fresh: Driver) -> None:
    for _ in range(3):
        fresh.login()
    calls = {each["path"]: each["count"] for each in fresh.http.get("/_sandbox/calls").json()}
    assert calls == {LOGIN: 3}


def test_an_expired_token_is_replaced_by_a_login(fresh: Driver) -> None:
    old = fresh.token()
    fresh.control("tokens", {"merchant_id": fresh.account_id(), "state": "expired"})
    assert status(fresh, old) == 401
    new, _ = token_of(fresh)
    assert new != old
    assert status(fresh, new) == 200


def test_a_revoked_credential_cannot_log_in(fresh: Driver) -> None:
    old = fresh.token()
    fresh.control("tokens", {"merchant_id": fresh.account_id(), "state": "revoked"})
    assert status(fresh, old) == 401
    assert fresh.login().status_code == 401
    fresh.control("tokens", {"merchant_id": fresh.account_id(), "state": "valid"})
    assert fresh.login().status_code == 200


def test_without_scopes_a_login_works_and_nothing_else(fresh: Driver) -> None:
    fresh.control("tokens", {"merchant_id": fresh.account_id(), "state": "insufficient_scopes"})
    assert status(fresh, token_of(fresh)[0]) == 403


def test_a_sandbox_that_is_started_again_knows_its_tokens(tmp_path: Path) -> None:
    with serving(Options(scale="small"), tmp_path) as driver:
        token = driver.token()
    with serving(Options(scale="small"), tmp_path) as driver:
        assert status(driver, token) == 200


def test_a_fault_of_a_login_has_the_vendors_body(fresh: Driver) -> None:
    fresh.control("faults", {"kind": "status", "status": 503, "path": LOGIN, "count": 1})
    refused = fresh.login()
    assert (refused.status_code, refused.json()["status"]) == (503, 503)
    assert set(refused.json()) >= {"code", "message", "requestId", "errors"}
    assert fresh.login().status_code == 200
