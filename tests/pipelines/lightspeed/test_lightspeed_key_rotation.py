"""Keys are rotated while syncs run and renew tokens that work once: who loses one fails the next sync."""

import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pipelines.sync import sync
from pos_cli.sandbox import connect_accounts, sandbox_environment
from pos_core.repositories import configurations
from pos_core.repositories.configurations import Configuration
from pos_core.rotation import key_statuses, rotate
from pos_core.settings import get_settings
from pos_core.vault import Vault
from sandbox.engine import Options
from sandbox.lightspeed.driver import Driver, serving
from tests.conftest import Project

BAKERIES, ROUNDS = 8, 10  # eighty syncs; `make bench` does a thousand
KEYS = {"one": b"\x01" * 32, "two": b"\x02" * 32}
OTHER_WAY_ROUND = dict(reversed(KEYS.items()))


@pytest.fixture
def bakeries(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Driver]:
    """A sandbox of many small accounts, to which the settings point; the first of the keys seals."""
    pairs = [f"{key_id}:{b64encode(key).decode()}" for key_id, key in KEYS.items()]
    monkeypatch.setenv("POS_ENCRYPTION_KEYS", ",".join(pairs))
    get_settings.cache_clear()
    with serving(Options(scale="large", merchants=BAKERIES, orders=BAKERIES)) as driver:
        for name, value in sandbox_environment(driver.url).items():
            monkeypatch.setenv(name, value)
        yield driver


class Rotating:
    """Rotates without a pause, each time to the other key, until the block ends; three times at least."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> "Rotating":
        self._future = self._pool.submit(self._rotate)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopped.set()
        self._pool.shutdown()

    def result(self) -> list[int]:
        """How much each rotation sealed anew."""
        return self._future.result()

    def _rotate(self) -> list[int]:
        resealed: list[int] = []
        while not self._stopped.is_set() or len(resealed) < 3:
            keys = KEYS if len(resealed) % 2 else OTHER_WAY_ROUND
            rotation = rotate(self._project.engine, Vault(keys))
            assert rotation.lost_configurations == []
            resealed.append(rotation.resealed["configurations"])
        return resealed


def test_no_sync_fails_while_keys_are_rotated_and_tokens_renewed(project: Project, bakeries: Driver) -> None:
    ours = [configuration for _, configuration in connect_accounts(bakeries.url)]
    contexts = [replace(project.context, vault=Vault(keys)) for keys in (KEYS, OTHER_WAY_ROUND)]
    failures = []
    with Rotating(project) as rotating:
        for number in range(ROUNDS):
            for account in range(BAKERIES) if number % 2 else ():
                body = {"merchant_id": bakeries.account_id(account), "state": "expired"}
                bakeries.control("tokens", body)
            report = sync(contexts[number // 2 % 2], [each.id for each in ours])
            failures += [each.error for each in report.failed]
    assert failures == []
    assert sum(rotating.result()) >= 2 * BAKERIES
    newest = bakeries.http.get("/_sandbox/accounts").json()
    assert _refresh_tokens(project, ours) == {each["credentials"]["refresh_token"] for each in newest}
    assert [each.role for each in key_statuses(project.engine, Vault(KEYS))] == ["seals", "opens"]


def _refresh_tokens(project: Project, ours: list[Configuration]) -> set[object]:
    with project.engine.connect() as connection:
        return {
            configurations.open_credentials(connection, Vault(KEYS), each)["refresh_token"] for each in ours
        }
