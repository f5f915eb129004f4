"""Tokens for a code, renewal ahead of expiry and after a refusal, and revocation, against the sandbox."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from pipelines.connect import Request, connect_account
from pipelines.credentials import StoredKeeper
from pipelines.square import client, oauth
from pipelines.square.settings import Application, application
from pos_core.errors import SettingsError, VendorAuthError
from pos_core.repositories import configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from sandbox.square.driver import Driver
from sandbox.square.oauth import APPLICATION_ID, APPLICATION_SECRET
from tests.conftest import Project

OWNER = Application(APPLICATION_ID, SecretStr(APPLICATION_SECRET))
REDIRECT = "http://127.0.0.1:8000/callback"
_MONTH_SECONDS = 31 * 86_400


def _code(sandbox: Driver) -> str:
    answer = httpx.get(
        f"{sandbox.url}/oauth2/authorize",
        params={"client_id": APPLICATION_ID, "redirect_uri": REDIRECT, "state": "any"},
    )
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


@pytest.fixture
def tokens(sandbox: Driver) -> dict[str, Any]:
    return oauth.exchange_code(sandbox.url, OWNER, _code(sandbox), REDIRECT)


@pytest.fixture
def configuration(
    project: Project, sandbox: Driver, tokens: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Configuration:
    """An account connected with tokens whose age nobody knows, as from a file."""
    monkeypatch.setenv("SQUARE_BASE_URL", sandbox.url)
    given = {key: tokens[key] for key in ("access_token", "refresh_token", "merchant_id")}
    request = Request(
        project.rows("select gen_random_uuid() as id")[0]["id"],
        "square",
        "Corner Oven",
        given,
        Actor("test"),
        300,
    )
    made, _ = connect_account(project.engine, project.vault, request)
    monkeypatch.setenv("SQUARE_APPLICATION_ID", APPLICATION_ID)
    monkeypatch.setenv("SQUARE_APPLICATION_SECRET", APPLICATION_SECRET)
    return made


def _stored(project: Project, configuration: Configuration) -> dict[str, Any]:
    with project.engine.connect() as connection:
        return configurations.open_credentials(connection, project.vault, configuration)


def _calls(sandbox: Driver, path: str) -> int:
    calls = sandbox.http.get("/_sandbox/calls").json()
    return sum(each["count"] for each in calls if each["path"] == path)


def test_a_code_gives_tokens_once(sandbox: Driver) -> None:
    code = _code(sandbox)
    tokens = oauth.exchange_code(sandbox.url, OWNER, code, REDIRECT)
    assert tokens["merchant_id"] == sandbox.merchant_id()
    assert tokens["renew_at"] < tokens["expires_at"]
    with pytest.raises(VendorAuthError):
        oauth.exchange_code(sandbox.url, OWNER, code, REDIRECT)


def test_a_code_dies_within_minutes(sandbox: Driver) -> None:
    code = _code(sandbox)
    sandbox.control("clock", {"advance_seconds": 301})
    with pytest.raises(VendorAuthError):
        oauth.exchange_code(sandbox.url, OWNER, code, REDIRECT)


def test_another_secret_gets_nothing_and_is_not_repeated_in_the_error(sandbox: Driver) -> None:
    stranger = Application(APPLICATION_ID, SecretStr("made-up-secret"))
    with pytest.raises(VendorAuthError) as caught:
        oauth.refresh(sandbox.url, stranger, "made-up-token")
    assert "made-up" not in caught.value.message


def test_a_token_of_unknown_age_is_renewed_before_it_is_used_and_stored(
    project: Project, sandbox: Driver, configuration: Configuration
) -> None:
    before = _stored(project, configuration)
    sandbox.control("clock", {"advance_seconds": 60})
    assert [each.status for each in project.sync(configuration).outcomes] == ["succeeded"]
    after = _stored(project, configuration)
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] == before["refresh_token"]
    project.sync(configuration)
    assert _stored(project, configuration) == after
    assert _calls(sandbox, "/oauth2/token") == 2  # one for the code, one renewal


def test_a_refused_token_is_renewed_and_the_sync_goes_on(
    project: Project, sandbox: Driver, configuration: Configuration
) -> None:
    project.sync(configuration)
    before = _stored(project, configuration)
    sandbox.control("clock", {"advance_seconds": _MONTH_SECONDS})
    assert [each.status for each in project.sync(configuration).outcomes] == ["succeeded"]
    assert _stored(project, configuration)["access_token"] != before["access_token"]


def test_renewing_ahead_of_time_may_fail_while_the_token_works(
    project: Project, sandbox: Driver, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQUARE_APPLICATION_SECRET", "made-up-secret")
    before = _stored(project, configuration)
    assert [each.status for each in project.sync(configuration).outcomes] == ["succeeded"]
    assert _stored(project, configuration) == before
    assert _calls(sandbox, "/oauth2/token") == 2  # the code's, and one attempt for the whole sync


def test_two_processes_that_find_the_token_refused_ask_once(
    project: Project, sandbox: Driver, configuration: Configuration
) -> None:
    sandbox.control("clock", {"advance_seconds": _MONTH_SECONDS})

    def work(_: int) -> str:
        keeper = StoredKeeper(project.engine, project.vault, configuration)
        with client.open_http(sandbox.url, keeper) as http:
            client.confirm(http, keeper.current)
        return str(keeper.current["access_token"])

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(work, range(4)))) == 1
    assert _calls(sandbox, "/oauth2/token") == 2  # the code's, and one for all four


def test_after_revocation_the_shop_has_to_connect_again(
    project: Project, sandbox: Driver, configuration: Configuration
) -> None:
    oauth.revoke(sandbox.url, OWNER, configuration.account_id)
    (outcome,) = project.sync(configuration).outcomes
    assert outcome.status == "failed"
    assert "connect the account again" in str(outcome.error)
    tokens = oauth.exchange_code(sandbox.url, OWNER, _code(sandbox), REDIRECT)
    assert tokens["merchant_id"] == configuration.account_id


def test_an_application_is_both_of_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQUARE_APPLICATION_SECRET", raising=False)
    monkeypatch.delenv("SQUARE_APPLICATION_ID", raising=False)
    assert application() is None
    monkeypatch.setenv("SQUARE_APPLICATION_ID", APPLICATION_ID)
    with pytest.raises(SettingsError, match="belong together"):
        application()
