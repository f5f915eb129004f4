"""Tokens of both generations, against the sandbox: exchanged, renewed, never burnt."""

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import create_engine

from pipelines.connect import Request, connect_account
from pipelines.credentials import StoredKeeper
from pipelines.lightspeed import CONNECTOR, oauth
from pos_core.errors import VendorAuthError
from pos_core.repositories import configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from sandbox.lightspeed.driver import Driver
from tests.conftest import Project

BOTH = pytest.mark.parametrize("account", [0, 1], ids=["V1", "V2"])


def _stored(project: Project, configuration: Configuration) -> dict[str, Any]:
    with project.engine.connect() as connection:
        return configurations.open_credentials(connection, project.vault, configuration)


def _put(project: Project, configuration: Configuration, **changes: Any) -> None:
    credentials = _stored(project, configuration) | changes
    with project.engine.begin() as connection:
        configurations.store_credentials(connection, project.vault, configuration, credentials)


def _expire(bakery: Driver, account: int = 0) -> None:
    bakery.control("tokens", {"merchant_id": bakery.account_id(account), "state": "expired"})


def _connect(project: Project, bakery: Driver, account: int, given: dict[str, Any]) -> Configuration:
    tenant_id = bakery.accounts[account]["tenant_id"]
    request = Request(tenant_id, "lightspeed", "Bakery", given, Actor("test"), 300)
    return connect_account(project.engine, project.vault, request)[0]


@BOTH
def test_an_expired_token_is_renewed_during_a_sync_and_the_new_pair_is_kept(
    project: Project, bakery: Driver, bakeries: list[Configuration], account: int
) -> None:
    """After a 401 with a token that was thought to be good; both tokens are new and stored together."""
    before = _stored(project, bakeries[account])
    _expire(bakery, account)
    report = project.sync(bakeries[account])
    assert report.outcomes[0].error is None
    after = _stored(project, bakeries[account])
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert project.sync(bakeries[account]).outcomes[0].error is None
    assert _stored(project, bakeries[account]) == after


@BOTH
def test_a_token_is_renewed_ahead_of_its_end(
    project: Project, bakeries: list[Configuration], account: int
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=30)
    before = _stored(project, bakeries[account])
    assert not oauth.expires_soon(before, datetime.now(UTC))
    _put(project, bakeries[account], expires_at=soon.isoformat())
    assert project.sync(bakeries[account]).outcomes[0].error is None
    after = _stored(project, bakeries[account])
    assert after["refresh_token"] != before["refresh_token"]
    assert not oauth.expires_soon(after, datetime.now(UTC))


@BOTH
def test_two_workers_that_renew_at_once_never_burn_each_others_token(
    project: Project, bakery: Driver, bakeries: list[Configuration], account: int
) -> None:
    """Trap: a refresh token works once. Engines of their own, both found the old token refused."""
    _expire(bakery, account)
    start, errors, pairs = threading.Barrier(2), [], []

    def work() -> None:
        engine = create_engine(project.engine.url)
        try:
            keeper = StoredKeeper(engine, project.vault, bakeries[account])
            with CONNECTOR.open_http(bakery.url, keeper) as http:
                start.wait()
                http.get("/f/data/businesses", {"page": "0", "size": "1000"})
            pairs.append((keeper.current["access_token"], keeper.current["refresh_token"]))
        except Exception as error:
            errors.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    stored = _stored(project, bakeries[account])
    assert pairs == [(stored["access_token"], stored["refresh_token"])] * 2
    _expire(bakery, account)
    assert project.sync(bakeries[account]).outcomes[0].error is None


@BOTH
def test_a_code_is_exchanged_for_tokens_that_connect_the_account(
    project: Project, bakery_settings: Driver, account: int
) -> None:
    bakery, known = bakery_settings, bakery_settings.credentials[account]
    address = oauth.authorize_url(
        known["generation"], known["client_id"], "https://127.0.0.1/back", "state-1"
    )
    sent_back = httpx.get(address, trust_env=False)
    answer = {
        name: values[0] for name, values in parse_qs(urlsplit(sent_back.headers["location"]).query).items()
    }
    assert answer["state"] == "state-1"
    application = oauth.application_of(known)
    assert known["client_secret"] not in repr(application)
    with pytest.raises(VendorAuthError, match="redirect address"):
        oauth.exchange_code(known["generation"], application, answer["code"], "https://127.0.0.1/other")
    code = parse_qs(urlsplit(httpx.get(address, trust_env=False).headers["location"]).query)["code"][0]
    tokens = oauth.exchange_code(known["generation"], application, code, "https://127.0.0.1/back")
    with pytest.raises(VendorAuthError, match="works once"):
        oauth.exchange_code(known["generation"], application, code, "https://127.0.0.1/back")
    configuration = _connect(project, bakery, account, {**known, **tokens})
    assert configuration.account_id == bakery.account_id(account)


@BOTH
def test_a_refresh_token_that_was_used_elsewhere_never_replaces_a_good_one(
    project: Project, bakery: Driver, bakeries: list[Configuration], account: int
) -> None:
    """The file of the first connection again: it is refused, and the stored connection goes on working."""
    with pytest.raises(VendorAuthError, match="works once"):
        _connect(project, bakery, account, bakery.credentials[account])
    assert project.sync(bakeries[account]).outcomes[0].error is None


@BOTH
def test_a_mistake_in_the_file_costs_no_refresh_token(
    project: Project, bakery_settings: Driver, account: int
) -> None:
    bakery = bakery_settings
    given = bakery.credentials[account]
    with pytest.raises(Exception, match="do not see the business locations 12345"):
        _connect(project, bakery, account, {**given, "business_location_ids": [12345]})
    assert _connect(project, bakery, account, given).account_id == bakery.account_id(account)


@BOTH
def test_a_wrong_client_is_told_apart_from_a_dead_token(
    project: Project, bakery: Driver, bakeries: list[Configuration], account: int
) -> None:
    _expire(bakery, account)
    _put(project, bakeries[account], client_secret="another-secret")
    error = project.sync(bakeries[account]).outcomes[0].error
    assert error is not None
    assert "client_secret" in error
    assert "another-secret" not in error
    bakery.control("tokens", {"merchant_id": bakery.account_id(account), "state": "revoked"})
    _put(project, bakeries[account], client_secret=bakery.credentials[account]["client_secret"])
    error = project.sync(bakeries[account]).outcomes[0].error
    assert error is not None
    assert "Allow the access again" in error


@BOTH
def test_the_operators_application_renews_where_the_file_has_none(
    project: Project, bakery_settings: Driver, monkeypatch: pytest.MonkeyPatch, account: int
) -> None:
    bakery, given = bakery_settings, dict(bakery_settings.credentials[account])
    monkeypatch.setenv("LIGHTSPEED_CLIENT_ID", given.pop("client_id"))
    monkeypatch.setenv("LIGHTSPEED_CLIENT_SECRET", given.pop("client_secret"))
    configuration = _connect(project, bakery, account, given)
    assert "client_secret" not in _stored(project, configuration)
    _expire(bakery, account)
    assert project.sync(configuration).outcomes[0].error is None


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged at INFO and above."""
    with caplog.at_level(logging.INFO):
        yield caplog


@BOTH
def test_no_token_is_written_to_the_log(
    project: Project,
    bakery: Driver,
    bakeries: list[Configuration],
    log: pytest.LogCaptureFixture,
    account: int,
) -> None:
    """Trap: V1 takes the refresh token as a parameter of the address."""
    secrets = [_stored(project, bakeries[account])]
    _expire(bakery, account)
    project.sync(bakeries[account])
    secrets.append(_stored(project, bakeries[account]))
    for stored in secrets:
        for key in ("access_token", "refresh_token", "client_secret"):
            assert stored[key] not in log.text
    assert secrets[0] != secrets[1]
    logs = json.dumps(project.rows("select * from pos_sync_logs"), default=str)
    assert secrets[0]["refresh_token"] not in logs


def test_a_lifetime_that_is_not_told_is_learned_from_the_refusal(
    project: Project, bakery: Driver, bakeries: list[Configuration]
) -> None:
    _put(project, bakeries[0], expires_at=None)
    before = _stored(project, bakeries[0])
    assert project.sync(bakeries[0]).outcomes[0].error is None
    assert _stored(project, bakeries[0]) == before
    _expire(bakery)
    assert project.sync(bakeries[0]).outcomes[0].error is None
    assert _stored(project, bakeries[0])["expires_at"] is not None
