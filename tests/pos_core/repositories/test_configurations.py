"""Configurations: whose account and locations they are, when they are due, what is written of them."""

import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, func, select, text, update

from pos_core.database.tables import audit_logs, configuration_locations, touched_documents
from pos_core.database.tables import configurations as table
from pos_core.errors import ConfigurationError, UnknownConfigurationError, VaultError
from pos_core.repositories import configurations, due_times
from pos_core.repositories.audit import Actor
from pos_core.repositories.configurations import Configuration
from pos_core.vault import Vault, fingerprint
from tests.pos_core.given import CREDENTIALS, VAULT, connect, new_configuration

_WAITING = "select count(*) from pg_stat_activity where datname = current_database()"


def _live(connection: Connection, configuration: Configuration) -> list[str]:
    query = select(configuration_locations.c.external_location_id).where(
        configuration_locations.c.configuration_id == configuration.id, configuration_locations.c.is_live
    )
    return sorted(connection.execute(query).scalars())


def _count(connection: Connection, counted: Any) -> int:
    return connection.execute(select(func.count()).select_from(counted)).scalar_one()


def test_a_new_configuration_is_active_and_due(connection: Connection) -> None:
    new = new_configuration()
    made, was_there = configurations.create_or_revive(connection, VAULT, new, CREDENTIALS, Actor("tester"))
    assert not was_there
    assert made == configurations.get(connection, made.id)
    assert (made.tenant_id, made.account_id, made.base_url) == (new.tenant_id, "M1", new.base_url)
    assert (made.status, made.consecutive_failures, made.day_starts_at) == ("active", 0, time(0))
    assert configurations.due_ids(connection) == configurations.active_ids(connection) == [made.id]
    assert _live(connection, made) == ["L1", "L2"]


def test_credentials_are_stored_sealed_and_open_for_their_configuration_alone(connection: Connection) -> None:
    made, other = connect(connection), connect(connection, credentials={"access_token": "another"})
    assert configurations.open_credentials(connection, VAULT, made) == CREDENTIALS
    sealed = select(table.c.credentials_sealed).where(table.c.id == made.id).scalar_subquery()
    connection.execute(update(table).where(table.c.id == other.id).values(credentials_sealed=sealed))
    with pytest.raises(VaultError):
        configurations.open_credentials(connection, VAULT, other)
    with pytest.raises(VaultError):
        configurations.open_credentials(connection, Vault({"test": b"\x01" * 32}), made)


def test_no_column_of_any_table_shows_the_credentials(connection: Connection) -> None:
    tenant = uuid4()
    made = connect(connection, tenant)
    connect(connection, tenant, credentials={"access_token": "the-second-secret"})
    configurations.disable(connection, made.id, "closed", Actor("tester"))
    for each in (table, configuration_locations, audit_logs):
        query = text(f"select string_agg(t::text, ' ') from {each.name} as t")
        written: str = connection.execute(query).scalar_one()
        assert "nobody-may-see" not in written
        assert "second-secret" not in written


def test_destroyed_credentials_are_said_to_be_gone(connection: Connection) -> None:
    made = connect(connection)
    connection.execute(update(table).values(credentials_sealed=None))
    with pytest.raises(ConfigurationError, match=f"{made.id} has no credentials; connect it again"):
        configurations.open_credentials(connection, VAULT, made)


def test_an_unknown_configuration_is_named(connection: Connection) -> None:
    unknown = uuid4()
    with pytest.raises(ConfigurationError, match=f"There is no configuration {unknown}"):
        configurations.get(connection, unknown)
    with pytest.raises(ConfigurationError, match=f"There is no configuration {unknown}"):
        configurations.disable(connection, unknown, "", Actor(""))
    assert _count(connection, audit_logs) == 0


def test_the_same_account_revives_its_configuration(connection: Connection) -> None:
    tenant = uuid4()
    old = connect(connection, tenant)
    due_times.record_failure(connection, old, "auth")
    configurations.disable(connection, old.id, "closed", Actor("tester"))
    new = new_configuration(tenant, name="Bakery again", sync_interval_seconds=60, locations=[("L2", "x")])
    fresh = {"access_token": "fresh"}
    revived, was_there = configurations.create_or_revive(connection, VAULT, new, fresh, Actor("tester"))
    assert was_there
    assert revived.id == old.id
    assert (revived.status, revived.status_reason) == ("active", None)
    assert (revived.name, revived.sync_interval_seconds) == ("Bakery again", 60)
    assert revived.consecutive_failures == 0
    assert configurations.due_ids(connection) == [old.id]
    assert configurations.open_credentials(connection, VAULT, revived) == fresh
    assert _live(connection, revived) == ["L2"]


def test_locations_that_the_vendor_no_longer_confirms_are_free(connection: Connection) -> None:
    tenant = uuid4()
    first = connect(connection, tenant, locations=[("L1", "a"), ("L2", "b")])
    assert connect(connection, tenant, locations=[("L1", "a")]).id == first.id
    second = connect(connection, tenant, account_id="M2", locations=[("L2", "b")])
    assert (_live(connection, first), _live(connection, second)) == (["L1"], ["L2"])


def test_another_tenant_pos_or_account_is_another_configuration(connection: Connection) -> None:
    tenant = uuid4()
    made = [
        connect(connection, tenant),
        connect(connection, uuid4()),
        connect(connection, tenant, account_id="M2", locations=[("L9", "")]),
        connect(connection, tenant, pos_system="other"),
    ]
    assert len({each.id for each in made}) == 4
    of_tenant = [each for each in made if each.tenant_id == tenant]
    assert {each.id for each in configurations.listed(connection, tenant)} == {each.id for each in of_tenant}
    assert {each.id for each in configurations.listed(connection)} == {each.id for each in made}
    assert configurations.active_ids(connection) == sorted(each.id for each in made)


def test_an_account_stays_with_the_vendor_address_it_was_made_for(connection: Connection) -> None:
    tenant = uuid4()
    old = connect(connection, tenant)
    with pytest.raises(ConfigurationError, match=r"made for http://127\.0\.0\.1:1; .*http://127\.0\.0\.1:2"):
        connect(connection, tenant, base_url="http://127.0.0.1:2", credentials={"access_token": "x"})
    assert configurations.get(connection, old.id) == old
    assert configurations.open_credentials(connection, VAULT, old) == CREDENTIALS


def test_a_location_is_live_under_one_configuration_of_a_tenant(connection: Connection) -> None:
    tenant = uuid4()
    first = connect(connection, tenant)
    with pytest.raises(ConfigurationError, match="already live under another configuration"):
        connect(connection, tenant, account_id="M2", locations=[("L0", ""), ("L2", "Station")])
    connect(connection, uuid4(), account_id="M2")
    assert _live(connection, first) == ["L1", "L2"]


def test_disabling_stops_syncs_and_frees_the_locations(connection: Connection) -> None:
    tenant = uuid4()
    first = connect(connection, tenant)
    disabled = configurations.disable(connection, first.id, "the shop is sold", Actor("tester"))
    assert (disabled.status, disabled.status_reason) == ("disabled", "the shop is sold")
    assert configurations.due_ids(connection) == configurations.active_ids(connection) == []
    second = connect(connection, tenant, account_id="M2")
    assert (_live(connection, first), _live(connection, second)) == ([], ["L1", "L2"])
    with pytest.raises(ConfigurationError, match="already live"):
        connect(connection, tenant)


def test_a_sync_that_ends_after_its_configuration_was_disabled_takes_no_location(
    connection: Connection,
) -> None:
    made = connect(connection)
    configurations.disable(connection, made.id, "closed", Actor("tester"))
    configurations.set_locations(
        connection, made.tenant_id, made.id, made.pos_system, [("L1", "High Street"), ("L3", "New")]
    )
    assert _live(connection, made) == []


def test_a_sync_adds_locations_and_renames_them(connection: Connection) -> None:
    made = connect(connection)
    configurations.set_locations(connection, made.tenant_id, made.id, made.pos_system, [])
    configurations.set_locations(
        connection, made.tenant_id, made.id, made.pos_system, [("L3", "New"), ("L1", "Main Street")]
    )
    assert _live(connection, made) == ["L1", "L2", "L3"]
    named = select(configuration_locations.c.name).order_by(configuration_locations.c.external_location_id)
    assert list(connection.execute(named).scalars()) == ["Main Street", "Station", "New"]


def test_each_change_has_an_audit_row(connection: Connection) -> None:
    tenant = uuid4()
    made = connect(connection, tenant)
    configurations.disable(connection, made.id, "closed", Actor("somebody"))
    connect(connection, tenant, credentials={"access_token": "x"})
    rows = connection.execute(select(audit_logs).order_by(audit_logs.c.id)).all()
    assert {(row.tenant_id, row.configuration_id) for row in rows} == {(tenant, made.id)}
    assert [(row.actor, row.action) for row in rows] == [
        ("tester", "configuration.created"),
        ("somebody", "configuration.disabled"),
        ("tester", "configuration.revived"),
    ]
    created, disabled, revived = rows
    assert created.before is None
    assert created.after["credentials_fingerprint"] == fingerprint(CREDENTIALS)
    assert disabled.before == created.after
    assert disabled.after == created.after | {"status": "disabled", "status_reason": "closed"}
    assert revived.after["credentials_fingerprint"] == fingerprint({"access_token": "x"})


@pytest.mark.parametrize(
    ("day_starts_at", "restated"), [(None, 0), (time(4), 0), (time(5), 1)], ids=["unsaid", "same", "changed"]
)
def test_another_start_of_the_day_restates_the_configuration(
    connection: Connection, day_starts_at: time | None, restated: int
) -> None:
    tenant = uuid4()
    made = connect(connection, tenant, day_starts_at=time(4))
    assert made.day_starts_at == time(4)
    assert connect(connection, tenant, day_starts_at=day_starts_at).day_starts_at == (
        day_starts_at or time(4)
    )
    rows = connection.execute(select(touched_documents)).all()
    assert [(row.configuration_id, row.external_id) for row in rows] == [(made.id, None)] * restated


def test_the_longest_waiting_are_due_first(connection: Connection) -> None:
    waits = [timedelta(minutes=5), timedelta(days=1), timedelta(0), timedelta(seconds=-1)]
    made = [connect(connection) for _ in waits]
    for each, wait in zip(made, waits, strict=True):
        due = update(table).where(table.c.id == each.id).values(next_sync_at=func.now() - wait)
        connection.execute(due)
    assert configurations.due_ids(connection) == [made[1].id, made[0].id, made[2].id]


def test_one_that_fails_leaves_the_others_as_they_are(connection: Connection) -> None:
    failing, other = connect(connection), connect(connection)
    due_times.record_failure(connection, failing, "auth")
    configurations.disable(connection, failing.id, "", Actor(""))
    assert configurations.get(connection, other.id) == other
    assert configurations.due_ids(connection) == [other.id]


def test_history_begins_where_the_first_connection_said(connection: Connection) -> None:
    tenant = uuid4()
    connect(connection, tenant)
    later = connect(connection, tenant, history_from=datetime(2026, 6, 1, tzinfo=UTC))
    assert later.history_from == datetime(2026, 1, 1, tzinfo=UTC)


def test_two_that_connect_the_same_account_at_once_make_one_configuration(engine: Engine) -> None:
    tenant = uuid4()
    second: list[Configuration] = []

    def make_another() -> None:
        with engine.begin() as connection:
            second.append(connect(connection, tenant))

    with engine.begin() as connection:
        first = connect(connection, tenant)
        thread = threading.Thread(target=make_another)
        thread.start()
        _until_somebody_waits(engine)
    thread.join()
    assert [each.id for each in second] == [first.id]


def _until_somebody_waits(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        query = text(f"{_WAITING} and wait_event_type = 'Lock'")
        while not connection.execute(query).scalar():
            pass


def test_what_is_deleted_cannot_be_disabled_back_into_the_list(connection: Connection) -> None:
    made = connect(connection)
    configurations.delete(connection, made.id, Actor("tester"))
    with pytest.raises(UnknownConfigurationError):
        configurations.disable(connection, made.id, "by mistake", Actor("tester"))
    assert configurations.get(connection, made.id).status == "deleted"
