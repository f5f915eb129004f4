"""Credentials that renew themselves: one renewal at a time, stored before it is used."""

import json
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine

from pipelines.credentials import NewKeeper, RenewingAuth, StoredKeeper
from pipelines.http import VendorHttp
from pos_core.errors import ConfigurationError, PosError, VendorAuthError, VendorRequestError
from pos_core.repositories import configurations
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.vault import Vault
from tests.conftest import Project
from tests.pipelines.given import refusing
from tests.pipelines.scripted import Reply, ScriptedVendor

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Vendor:
    """Hands out tokens, each once; waits until all who may ask are there."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, known: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(dict(known))
        return {"access_token": f"token-{len(self.asked)}"}


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Runs actions at the same time, each in a thread of its own."""
    barrier, results = threading.Barrier(len(actions)), []

    def run(action: Callable[[], Any]) -> None:
        barrier.wait()
        results.append(action())

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def keeper(project: Project, configuration: Configuration) -> StoredKeeper:
    """What a process has that just began; its connections are its own."""
    engine = create_engine(project.address.sqlalchemy(), poolclass=NullPool)
    return StoredKeeper(engine, project.vault, configuration)


def test_whoever_needs_a_new_token_at_once_the_vendor_is_asked_once(
    project: Project, connected: list[Configuration]
) -> None:
    vendor = Vendor()
    keepers = [keeper(project, connected[0]) for _ in range(4)]
    stale = dict(keepers[0].current)
    results = at_once(*(lambda each=each: each.renew(stale, vendor) for each in keepers))
    assert len(vendor.asked) == 1
    assert vendor.asked == [stale]
    assert results == [{**stale, "access_token": "token-1"}] * 4
    assert [each.current for each in keepers] == results
    assert keeper(project, connected[0]).current == results[0]


def test_two_configurations_do_not_wait_for_each_other(
    project: Project, connected: list[Configuration]
) -> None:
    """Each vendor answer waits for the other's question, so that one lock for both would never end."""
    both = threading.Barrier(2, timeout=60)

    def ask(_known: Mapping[str, Any]) -> dict[str, Any]:
        both.wait()
        return {"access_token": "new"}

    keepers = [keeper(project, each) for each in connected]
    results = at_once(*(lambda each=each: each.renew(each.current, ask) for each in keepers))
    assert [result["access_token"] for result in results] == ["new", "new"]


def test_a_refusal_stores_nothing(project: Project, connected: list[Configuration]) -> None:
    one = keeper(project, connected[0])
    before = dict(one.current)

    def refuse(_known: Mapping[str, Any]) -> Mapping[str, Any]:
        raise VendorAuthError("connect the account again")

    with pytest.raises(VendorAuthError):
        one.renew(before, refuse)
    assert one.current == before == keeper(project, connected[0]).current


def test_an_answer_that_cannot_be_stored_is_not_used(
    project: Project, connected: list[Configuration]
) -> None:
    one = keeper(project, connected[0])
    before = dict(one.current)
    project.execute("alter table pos_configurations add constraint pos_for_a_test check (false) not valid")
    try:
        with pytest.raises(Exception, match="pos_for_a_test"):
            one.renew(before, Vendor())
    finally:
        project.execute("alter table pos_configurations drop constraint pos_for_a_test")
    assert one.current == before == keeper(project, connected[0]).current


def test_a_shared_token_is_asked_for_once_sealed_and_found_by_others(
    project: Project, connected: list[Configuration]
) -> None:
    vendor = Vendor()
    keepers = [keeper(project, each) for each in [*connected, *connected]]
    results = at_once(*(lambda each=each: each.shared("client-key", None, vendor) for each in keepers))
    assert results == [{"access_token": "token-1"}] * 4
    assert len(vendor.asked) == 1
    (row,) = project.rows("select * from pos_shared_tokens")
    assert "token-1" not in json.dumps(row, default=str)
    assert "client-key" not in json.dumps(row, default=str)
    assert NewKeeper(project.engine, project.vault, {}).shared("client-key", None, vendor) == results[0]
    assert NewKeeper(project.engine, project.vault, {}).shared("another", None, vendor) != results[0]


def test_a_shared_token_that_was_refused_is_renewed_once(
    project: Project, connected: list[Configuration]
) -> None:
    vendor = Vendor()
    keepers = [keeper(project, each) for each in connected]
    stale = keepers[0].shared("client-key", None, vendor)
    results = at_once(*(lambda each=each: each.shared("client-key", stale, vendor) for each in keepers))
    assert results == [{"access_token": "token-2"}] * 2
    assert len(vendor.asked) == 2


def test_a_shared_token_sealed_by_a_lost_key_is_asked_for_anew(
    project: Project, connected: list[Configuration]
) -> None:
    vendor = Vendor()
    keeper(project, connected[0]).shared("client-key", None, vendor)
    other = Vault({"other": b"k" * 32})
    assert (
        NewKeeper(project.engine, other, {}).shared("client-key", None, vendor)["access_token"] == "token-2"
    )
    assert (
        NewKeeper(project.engine, other, {}).shared("client-key", None, vendor)["access_token"] == "token-2"
    )


def test_a_shared_token_that_cannot_be_stored_is_not_used(
    project: Project, connected: list[Configuration]
) -> None:
    with (
        refusing(project, "pos_shared_tokens"),
        pytest.raises(Exception, match="refused for a test"),
    ):
        keeper(project, connected[0]).shared("client-key", None, Vendor())
    assert project.rows("select * from pos_shared_tokens") == []


def test_new_credentials_are_renewed_in_memory(project: Project) -> None:
    new = NewKeeper(project.engine, project.vault, {"access_token": "old", "refresh_token": "r"})
    assert new.renew(new.current, Vendor()) == {"access_token": "token-1", "refresh_token": "r"}
    assert new.current["access_token"] == "token-1"


def _refused(status: int, _body: Any) -> PosError:
    return VendorRequestError(f"refused with {status}")


def _asking(vendor: ScriptedVendor, auth: RenewingAuth) -> VendorHttp:
    return VendorHttp("Crumb", vendor.url, {}, _refused, 100, auth)


def test_a_token_that_is_refused_is_renewed_once(vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(401), Reply(body=b'{"ok": 1}')]
    with _asking(vendor, RenewingAuth(lambda: "old", lambda stale: f"newer-than-{stale}")) as http:
        assert http.get("/").body == {"ok": 1}
    tokens = [each.headers["authorization"] for each in vendor.requests]
    assert tokens == ["Bearer old", "Bearer newer-than-old"]
    assert http.usage.retries == 0


def test_a_new_token_that_is_refused_too_ends_it(vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(401)]
    renewals = []

    def renew(stale: str) -> str:
        renewals.append(stale)
        return "new"

    with (
        _asking(vendor, RenewingAuth(lambda: "old", renew)) as http,
        pytest.raises(VendorRequestError, match="401"),
    ):
        http.get("/")
    assert (renewals, len(vendor.requests)) == (["old"], 2)


def test_without_a_way_to_renew_the_first_refusal_counts(vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(401)]
    with _asking(vendor, RenewingAuth(lambda: "old")) as http, pytest.raises(VendorRequestError):
        http.get("/")
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("status", [400, 403, 404])
def test_only_a_401_renews(vendor: ScriptedVendor, status: int) -> None:
    vendor.replies = [Reply(status)]
    with (
        _asking(vendor, RenewingAuth(lambda: "old", lambda _stale: "new")) as http,
        pytest.raises(VendorRequestError),
    ):
        http.get("/")
    assert len(vendor.requests) == 1


def test_a_renewal_that_is_refused_is_the_error(vendor: ScriptedVendor) -> None:
    vendor.replies = [Reply(401)]

    def renew(_stale: str) -> str:
        raise VendorAuthError("connect the account again")

    with (
        _asking(vendor, RenewingAuth(lambda: "old", renew)) as http,
        pytest.raises(VendorAuthError, match="connect the account again"),
    ):
        http.get("/")


def test_a_renewal_does_not_bring_a_destroyed_secret_back(
    project: Project, connected: list[Configuration]
) -> None:
    """Whoever deletes a configuration does so while a sync of it waits for the vendor."""
    known = keeper(project, connected[0])

    def answer(_: Mapping[str, Any]) -> dict[str, Any]:
        with project.engine.begin() as connection:
            configurations.delete(connection, connected[0].id, Actor("test"))
        return {"access_token": "too late"}

    with pytest.raises(ConfigurationError, match="has no credentials"):
        known.renew(known.current, answer)
    assert project.value(
        "select credentials_sealed is null from pos_configurations where id = :id", id=connected[0].id
    )


def test_whoever_waits_leaves_the_connection_that_the_answer_is_stored_with(
    project: Project, connected: list[Configuration]
) -> None:
    """A pool of two, and more who wait than that: the one who asks still gets its answer stored."""
    vendor = Vendor()
    engine = create_engine(project.address.sqlalchemy(), pool_size=2, max_overflow=0, pool_timeout=5)
    keepers = [StoredKeeper(engine, project.vault, connected[0]) for _ in range(6)]
    stale = keepers[0].current
    renewed = at_once(*(partial(each.renew, stale, vendor) for each in keepers))
    engine.dispose()
    assert [each["access_token"] for each in renewed] == ["token-1"] * 6
    assert len(vendor.asked) == 1
