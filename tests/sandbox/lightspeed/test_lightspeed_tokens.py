"""Both token services: codes, refresh tokens that work once, lifetimes by the sandbox's clock."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sandbox.engine import Options
from sandbox.lightspeed.driver import Driver, serving
from sandbox.lightspeed.token_routes import REALM

REDIRECT = "https://bakery.example/callback"
BOTH = pytest.mark.parametrize("account", [0, 1], ids=["V1", "V2"])
AUTHORIZE = {"V1": "/oauth/authorize", "V2": f"{REALM}/auth"}
BUSINESSES = "/f/data/businesses"


def consent(driver: Driver, account: int, **changes: str) -> httpx.Response:
    """Asks for consent, which the sandbox gives by itself."""
    client = driver.credentials[account]
    query = {"response_type": "code", "client_id": client["client_id"], "redirect_uri": REDIRECT,
             "scope": "financial-api", "state": "st-1"} | changes  # fmt: skip
    return driver.http.get(AUTHORIZE[client["generation"]], params=query)


def code_of(answer: httpx.Response) -> str:
    """The code in a redirection."""
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    """Status and both words of a refusal."""
    body = answer.json()
    return answer.status_code, body["error"], body["error_description"]


def exchange(driver: Driver, account: int, code: str, redirect: str = REDIRECT) -> httpx.Response:
    """Exchanges a code."""
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
    return driver.token(account, given)


def test_each_chain_has_a_generation_of_its_own(shared: Driver) -> None:
    assert [each["generation"] for each in shared.credentials] == ["V1", "V2"]
    starts = [each["client_id"].startswith("devp-v2-") for each in shared.credentials]
    assert starts == [False, True]
    assert shared.accounts[0]["address_variables"] == ["LIGHTSPEED_BASE_URL", "LIGHTSPEED_AUTH_URL"]


@BOTH
def test_consent_redirects_with_a_code_that_gives_tokens_once(fresh: Driver, account: int) -> None:
    answer = consent(fresh, account)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(REDIRECT + "?")
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"] == ["st-1"]
    tokens = exchange(fresh, account, code_of(answer)).json()
    assert tokens["expires_in"] == [3600, 1500][account]
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert fresh.http.get(BUSINESSES, headers=headers).status_code == 200
    again = exchange(fresh, account, code_of(answer))
    assert refused(again) == (400, "invalid_grant", "Code not valid")


def test_the_newer_service_checks_a_challenge(fresh: Driver) -> None:
    verifier = "v" * 43
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"code_challenge": digest, "code_challenge_method": "S256"}
    given = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    codes = [code_of(consent(fresh, 1, **asked)) for _ in range(3)]
    right = fresh.token(1, {**given, "code": codes[0], "code_verifier": verifier})
    wrong = fresh.token(1, {**given, "code": codes[1], "code_verifier": "w" * 43})
    assert (right.status_code, refused(wrong)[1]) == (200, "invalid_grant")
    assert refused(fresh.token(1, {**given, "code": codes[2]}))[1] == "invalid_grant"
    assert consent(fresh, 1, code_challenge=digest, code_challenge_method="plain").status_code == 400
    assert exchange(fresh, 0, code_of(consent(fresh, 0, **asked))).status_code == 200


@BOTH
def test_a_code_lives_fifteen_seconds(fresh: Driver, account: int) -> None:
    young, old = code_of(consent(fresh, account)), code_of(consent(fresh, account))
    fresh.control("clock", {"advance_seconds": 15})
    assert exchange(fresh, account, young).status_code == 200
    fresh.control("clock", {"advance_seconds": 1})
    assert refused(exchange(fresh, account, old)) == (400, "invalid_grant", "Code not valid")


@BOTH
def test_the_address_must_be_that_of_the_consent(fresh: Driver, account: int) -> None:
    answer = exchange(fresh, account, code_of(consent(fresh, account)), "https://bakery.example/other")
    assert refused(answer) == (400, "invalid_grant", "Incorrect redirect_uri")


def test_a_code_goes_to_no_open_address_and_no_other_service(shared: Driver) -> None:
    assert consent(shared, 0, redirect_uri="http://bakery.example/callback").status_code == 400
    assert consent(shared, 0, redirect_uri="http://127.0.0.1:9/callback").status_code == 302
    assert consent(shared, 0, response_type="token").status_code == 400
    stranger = shared.credentials[1]["client_id"]
    assert refused(consent(shared, 0, client_id=stranger)) == (400, "invalid_client", "Client not found")


@BOTH
def test_a_refresh_token_works_once(fresh: Driver, account: int) -> None:
    first = fresh.credentials[account]["refresh_token"]
    assert fresh.refresh(account).status_code == 200
    second = fresh.credentials[account]["refresh_token"]
    assert second != first
    given = {"grant_type": "refresh_token", "refresh_token": first}
    for _ in range(2):
        assert refused(fresh.token(account, given)) == (400, "invalid_grant", "Token is not active")
    # The refusal of the old one does not harm the new one.
    assert fresh.refresh(account).status_code == 200


@BOTH
def test_an_access_token_outlives_a_refresh_but_not_its_time(fresh: Driver, account: int) -> None:
    old, minutes = fresh.headers(account), [60, 25][account]
    fresh.control("clock", {"advance_seconds": minutes * 60 - 1})
    fresh.refresh(account)
    assert fresh.http.get(BUSINESSES, headers=old).status_code == 200
    fresh.control("clock", {"advance_seconds": 1})
    expired = fresh.http.get(BUSINESSES, headers=old)
    assert (expired.status_code, expired.json()["errors"][0]["code"]) == (401, "unauthorized")
    assert fresh.get(BUSINESSES, account).status_code == 200


@BOTH
def test_a_refresh_token_dies_after_days(fresh: Driver, account: int) -> None:
    days = [14, 40][account]
    fresh.control("clock", {"advance_seconds": days * 86_400 - 1})
    assert fresh.refresh(account).status_code == 200
    fresh.control("clock", {"advance_seconds": days * 86_400})
    assert refused(fresh.refresh(account)) == (400, "invalid_grant", "Token is not active")


@BOTH
def test_a_wrong_client_is_refused(shared: Driver, account: int) -> None:
    given = {"grant_type": "refresh_token", "refresh_token": shared.credentials[account]["refresh_token"]}
    expected = (401, "invalid_client", "Invalid client or Invalid client credentials")
    assert refused(shared.token(account, given, client_secret="wrong")) == expected
    assert refused(shared.token(account, given, client_id="devp-nobody")) == expected
    other = ["V2", "V1"][account]
    assert refused(shared.token(account, given, generation=other)) == expected
    unsigned = shared.http.post("/oauth/token", params=given, headers={"Authorization": "Basic %%%"})
    assert refused(unsigned) == expected


def test_the_older_service_reads_the_url_and_the_newer_the_form(shared: Driver) -> None:
    for account, path in ((0, "/oauth/token"), (1, f"{REALM}/token")):
        client = shared.credentials[account]
        given = {"grant_type": "refresh_token", "refresh_token": client["refresh_token"]}
        basic = httpx.BasicAuth(client["client_id"], client["client_secret"])
        if account == 0:
            answer = shared.http.post(path, data=given, auth=basic)
        else:
            answer = shared.http.post(path, params=given, auth=basic)
        assert refused(answer)[:2] == (400, "invalid_request")
        assert answer.status_code == 400
    assert refused(shared.token(1, {"grant_type": "password"}))[:2] == (400, "unsupported_grant_type")


def test_one_clients_refresh_token_is_nothing_to_another(fresh: Driver) -> None:
    foreign = fresh.credentials[1]["refresh_token"]
    answer = fresh.token(0, {"grant_type": "refresh_token", "refresh_token": foreign})
    assert refused(answer) == (400, "invalid_grant", "Token is not active")
    access = fresh.credentials[0]["access_token"]
    answer = fresh.token(0, {"grant_type": "refresh_token", "refresh_token": access})
    assert refused(answer) == (400, "invalid_grant", "Token is not active")


def test_a_token_cannot_be_made_up(shared: Driver) -> None:
    parts = shared.credentials[0]["access_token"].split("-")
    for place in (3, 4, 5, 6):
        forged = "-".join([*parts[:place], "9", *parts[place + 1 :]])
        answer = shared.http.get(BUSINESSES, headers={"Authorization": f"Bearer {forged}"})
        assert answer.status_code == 401, place


def test_a_restarted_sandbox_goes_on_with_the_newest_tokens(tmp_path: Path) -> None:
    with serving(Options(scale="small"), tmp_path) as driver:
        stale = driver.credentials[0]["refresh_token"]
        for _ in range(3):
            driver.refresh(0)
        kept = driver.credentials[0]
    with serving(Options(scale="small"), tmp_path) as driver:
        registered = driver.credentials[0]
        driver.credentials[0] = kept
        assert driver.get(BUSINESSES).status_code == 200
        assert driver.refresh(0).status_code == 200
        for old in (kept["refresh_token"], stale, registered["refresh_token"]):
            answer = driver.token(0, {"grant_type": "refresh_token", "refresh_token": old})
            assert refused(answer)[1] == "invalid_grant"


def test_accounts_are_registered_with_the_newest_tokens(fresh: Driver) -> None:
    fresh.refresh(0)
    listed = fresh.http.get("/_sandbox/accounts").json()[0]["credentials"]
    assert listed["refresh_token"].split("-")[4] == "1"
    given = {"grant_type": "refresh_token", "refresh_token": listed["refresh_token"]}
    assert fresh.token(0, given).status_code == 200


@pytest.mark.parametrize(("state", "status", "refresh"), [
    ("expired", 401, 200), ("revoked", 401, 400), ("insufficient_scopes", 403, 200),
])  # fmt: skip
def test_tokens_can_go_bad_on_demand(fresh: Driver, state: str, status: int, refresh: int) -> None:
    order = {"merchant_id": fresh.account_id(0), "state": state}
    fresh.control("tokens", order)
    assert fresh.get(BUSINESSES).status_code == status
    assert fresh.get(BUSINESSES, 1).status_code == 200
    assert fresh.refresh(0).status_code == refresh
    if state == "expired":
        assert fresh.get(BUSINESSES).status_code == 200
    fresh.control("tokens", {**order, "state": "valid"})
    assert fresh.refresh(0).status_code == 200
    assert fresh.get(BUSINESSES).status_code == 200


def test_a_new_consent_ends_a_revocation(fresh: Driver) -> None:
    fresh.control("tokens", {"merchant_id": fresh.account_id(1), "state": "revoked"})
    tokens = exchange(fresh, 1, code_of(consent(fresh, 1))).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert fresh.http.get(BUSINESSES, headers=headers).status_code == 200


def test_a_refusal_to_have_no_token_is_the_gateways(shared: Driver) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "x"}):
        answer = shared.http.get(BUSINESSES, headers=headers)
        assert answer.status_code == 401
        assert set(answer.json()["errors"][0]) == {"code", "title"}
