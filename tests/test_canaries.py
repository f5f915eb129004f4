"""Planted secrets appear nowhere in clear, after syncs that succeed and syncs that fail in every way."""

import json
import logging
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
import stamina
from pydantic import SecretStr

from pipelines.registry import connectors
from pipelines.square import oauth
from pipelines.square.settings import Application
from pos_cli.sandbox import accounts, connect_accounts, control, sandbox_environment
from pos_core.database.connect import get_engine
from pos_core.repositories import configurations, sealed
from pos_core.settings import get_settings
from pos_core.vault import load_vault, local_key_path, new_key
from sandbox.engine import Options
from sandbox.hosting import in_thread
from sandbox.square.oauth import APPLICATION_ID, APPLICATION_SECRET
from tests.canaries import Canaries, in_database, in_files
from tests.conftest import Project
from tests.pipelines.given import refusing
from tests.pos_cli import conftest as command_line

pos = command_line.pos

DATABASE_PASSWORD, WRONG_TOKEN = "canary-of-the-database", "canary-that-no-vendor-knows"
# In an order in which whoever may log in twice an hour still can when it has to.
WAYS_TO_FAIL: tuple[dict[str, Any], ...] = (
    *({"kind": "status", "path": "/", "status": status} for status in (403, 429, 503)),
    {"kind": "truncate", "path": "/"},
    {"kind": "reset", "path": "/"},
    {"state": "insufficient_scopes"},
    {"kind": "status", "path": "/", "status": 401},
    {"state": "expired"},
    {"state": "revoked"},
)
FAILURES = {"auth", "rate_limit", "vendor_fault", "unreachable", "landing"}


@dataclass
class Planted:
    """The secrets that the project was given or has got, gathered as they come; and what it said."""

    secrets: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def add(self, name: str, secret: str) -> None:
        """Remembers a secret; another of the same name is kept beside it."""
        if secret not in self.secrets.values():
            self.secrets[f"{name} {len(self.secrets)}"] = secret

    def gather(self) -> None:
        """Remembers what is sealed in the database now."""
        vault = load_vault(get_settings())
        with get_engine().connect() as connection:
            for place in sealed.PLACES:
                for envelope in sealed.batch(connection, place, None, 1000):
                    opened = vault.open(envelope.tenant_id, envelope.owner_id, envelope.text)
                    self.add_all(opened)

    def add_all(self, credentials: dict[str, Any]) -> None:
        """Remembers what of credentials is secret."""
        for key, value in credentials.items():
            if "token" in key or "secret" in key:
                self.add(key, str(value))


@pytest.fixture
def planted(project: Project, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Settings whose every secret is a canary."""
    planted, keys = Planted(), [new_key(), new_key()]
    for key in keys:
        planted.add("encryption key", key.partition(":")[2])
    planted.add("local key", local_key_path(get_settings()).read_text())
    for name, secret in (("password", DATABASE_PASSWORD), ("wrong token", WRONG_TOKEN)):
        planted.add(name, secret)
    planted.add("application", APPLICATION_SECRET)
    monkeypatch.setenv("POS_ENCRYPTION_KEYS", ",".join(keys))
    with_password = replace(project.address, password=DATABASE_PASSWORD)  # which the socket does not ask for
    monkeypatch.setenv("POS_DATABASE_URL", with_password.libpq())
    get_settings.cache_clear()
    get_engine.cache_clear()
    return planted


@pytest.fixture
def sandbox_url(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A sandbox of every POS, whose accounts are connected; one by OAuth."""
    with in_thread(Options(scale="small")) as url, stamina.set_testing(True, attempts=2, cap=True):
        for name, value in sandbox_environment(url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SQUARE_APPLICATION_ID", APPLICATION_ID)
        monkeypatch.setenv("SQUARE_APPLICATION_SECRET", APPLICATION_SECRET)
        connected = connect_accounts(url)
        tokens = _by_oauth(url, next(each for each, _ in connected if each["pos_system"] == "square"))
        planted.add_all(tokens)
        for account, configuration in connected:
            planted.add_all(account["credentials"])
            if account["account_id"] == tokens["merchant_id"]:
                with get_engine().begin() as connection:
                    configurations.store_credentials(
                        connection, load_vault(get_settings()), configuration, tokens
                    )
        yield url


def _by_oauth(url: str, account: dict[str, Any]) -> dict[str, Any]:
    query = {
        "client_id": APPLICATION_ID,
        "redirect_uri": "http://127.0.0.1/back",
        "merchant_id": account["account_id"],
    }
    sent_back = httpx.get(f"{url}/oauth2/authorize", params=query, trust_env=False)
    code = parse_qs(urlsplit(sent_back.headers["location"]).query)["code"][0]
    owner = Application(APPLICATION_ID, SecretStr(APPLICATION_SECRET))
    return oauth.exchange_code(url, owner, code, query["redirect_uri"])


Say = Callable[..., int]


@pytest.fixture
def say(pos: command_line.Pos, planted: Planted) -> Say:
    """Runs a command, keeps what it says, gathers the secrets there are afterwards; returns its exit code."""

    def run(*arguments: object) -> int:
        ran = pos(*arguments)
        planted.said += [ran.out, ran.err]
        planted.gather()
        return ran.code

    return run


def _sync_in_every_way(project: Project, url: str, say: Say) -> int:
    """One sync that succeeds, then each account of a POS fails in the next of the ways; how many syncs."""
    assert say("sync") == 0
    ways = {pos_system: iter(WAYS_TO_FAIL) for pos_system in connectors()}
    syncs = 1
    while _misbehave(url, ways):
        assert say("sync", "--json") == 4
        syncs += 1
        control(url, "DELETE", "faults")
        for account in accounts(url):
            control(url, "POST", "tokens", {"merchant_id": account["account_id"], "state": "valid"})
    with refusing(project, "raw_square.orders"):
        for account in accounts(url):
            control(url, "POST", "sell", {"merchant_id": account["account_id"], "count": 1})
        assert say("sync") == 4
    return syncs + 1


def _misbehave(url: str, ways: dict[str, Iterator[dict[str, Any]]]) -> bool:
    """Whether an account was told to."""
    told = False
    for account in accounts(url):
        way = next(ways[account["pos_system"]], None)
        if way is not None:
            path = "tokens" if "state" in way else "faults"
            control(url, "POST", path, {**way, "merchant_id": account["account_id"]})
            told = True
    return told


def test_secrets_are_in_no_table_no_file_no_event_and_nothing_that_is_said(
    project: Project,
    sandbox_url: str,
    planted: Planted,
    say: Say,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    syncs = _sync_in_every_way(project, sandbox_url, say)
    wrong = tmp_path / "given.json"
    for content in (json.dumps({"access_token": WRONG_TOKEN}), json.dumps({WRONG_TOKEN: 1}), WRONG_TOKEN):
        wrong.write_text(content)
        for pos_system in connectors():
            given = ["--tenant", uuid4(), "--pos", pos_system, "--name", "x", "--credentials", wrong]
            assert say("configurations", "create", *given) > 0
    for arguments in (
        ["keys", "rotate"],
        ["keys", "status"],
        ["status"],
        ["configurations", "list", "--json"],
    ):
        assert say(*arguments) == 0

    failures = project.rows("select distinct error_class as name from pos_sync_logs where error is not null")
    assert {row["name"] for row in failures} >= FAILURES
    canaries = Canaries.of(planted.secrets)
    said = "\n".join([*planted.said, caplog.text])
    assert canaries.seen_in(said.encode()) == set()
    dagster = project.address.with_database(f"{project.address.database}_dagster")
    with psycopg.connect(dagster.libpq()) as connection:
        assert connection.execute("select count(*) >= %s from runs", [syncs]).fetchone() == (True,)
    assert in_database(canaries, dagster.libpq()) == set()
    assert in_database(canaries, project.address.libpq()) == set()
    keys = [local_key_path(get_settings()), project.home / "token.key"]
    assert in_files(canaries, project.home, keys) == set()
    server = Path(project.value("show data_directory")).parent
    assert in_files(canaries, server, [server / "postgres"]) == set()


@pytest.mark.parametrize("kind", ["text", "jsonb", "json", "bytea", "text[]"])
def test_a_secret_in_a_table_is_seen(project: Project, kind: str) -> None:
    value: dict[str, Any] = {
        "text": "Bearer canary-one",
        "jsonb": '{"a": ["canary-one"]}',
        "json": '"https://127.0.0.1/?a=canary-one"',
        "bytea": zlib.compress(b"canary-one"),
        "text[]": ["canary-one"],
    }
    project.execute(f"create table pos_seen_in_a_test (written {kind})")
    try:
        project.execute(f"insert into pos_seen_in_a_test values (cast(:it as {kind}))", it=value[kind])
        found = in_database(Canaries.of({"one": "canary-one", "two": "canary-two"}), project.address.libpq())
        assert found == {"pos_seen_in_a_test.written: one"}
    finally:
        project.execute("drop table pos_seen_in_a_test")


@pytest.mark.parametrize(
    "content",
    [
        "canary/one!",
        '{"a": "canary/one!"}',
        "a=canary/one%21&b=",
        "Basic aWQ6Y2FuYXJ5L29uZSE6",
        "xY2FuYXJ5L29uZSE6",
    ],
)
def test_a_secret_in_a_file_is_seen(tmp_path: Path, content: str) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "some.log").write_text(f"before {content} after")
    canaries = Canaries.of({"one": "canary/one!"})
    assert in_files(canaries, tmp_path) == {"logs/some.log: one"}
    assert in_files(canaries, tmp_path, [tmp_path / "logs"]) == set()
