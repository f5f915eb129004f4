"""Who sees what: the tenant a transaction is set to, the tenants a reader was granted, and nobody else's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from pos_core.database import roles
from pos_core.database.connect import get_service_engine, tenant_engine
from pos_core.database.embedded import EmbeddedServer
from pos_core.database.migrate import migrate, missing_roles
from pos_core.database.roles import API_ROLE, WEBHOOK_ROLE
from pos_core.repositories import audit
from pos_core.repositories.audit import Actor
from tests.conftest import Project

MINE, THEIRS = uuid4(), uuid4()
TENANT_TABLES = """
    select c.oid::regclass::text as name from pg_class as c
    inner join pg_attribute as a on a.attrelid = c.oid and a.attname = 'tenant_id'
    where c.relkind = 'r' and c.relnamespace::regnamespace::text <> 'information_schema' order by 1
"""


@pytest.fixture
def entries(project: Project) -> Project:
    """One row of the audit trail for each of two tenants."""
    with project.engine.begin() as connection:
        for tenant in (MINE, THEIRS):
            audit.record(connection, tenant, None, Actor("test"), "tested")
    return project


def test_every_table_of_tenants_has_row_level_security(project: Project) -> None:
    tables = {row["name"] for row in project.rows(TENANT_TABLES)}
    assert {"pos_transactions", "pos_transaction_items", "pos_configurations", "pos_audit_logs"} <= tables
    query = "select polrelid::regclass::text as name from pg_policy where polname = 'tenant_of_request'"
    assert {row["name"] for row in project.rows(query)} == tables
    assert project.value(
        "select bool_and(relrowsecurity) from pg_class where oid::regclass::text = any(:t)", t=list(tables)
    )


def test_a_transaction_sees_the_tenant_it_is_set_to(entries: Project) -> None:
    with tenant_engine(MINE).connect() as connection:
        assert _tenants(connection) == [MINE]
    with tenant_engine(THEIRS).connect() as connection:
        assert _tenants(connection) == [THEIRS]


def test_without_a_tenant_the_service_sees_nothing(entries: Project) -> None:
    with get_service_engine(API_ROLE).connect() as connection:
        assert _tenants(connection) == []


def test_a_tenant_does_not_outlast_its_transaction(entries: Project) -> None:
    with tenant_engine(MINE).begin() as connection:
        assert _tenants(connection) == [MINE]
    with get_service_engine(API_ROLE).connect() as connection:
        assert _tenants(connection) == []


@pytest.mark.parametrize("statement", ["update pos_audit_logs set actor = 'x'", "delete from pos_audit_logs"])
def test_the_audit_trail_is_append_only(entries: Project, statement: str) -> None:
    with tenant_engine(MINE).begin() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(text(statement))


def test_the_service_cannot_rise_above_its_role(entries: Project) -> None:
    with get_service_engine(API_ROLE).connect() as connection:
        with pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text("set role postgres"))
        connection.rollback()
        connection.execute(text("set role none"))
        with pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(text("select * from pos_audit_logs"))


def test_the_receiver_of_webhooks_writes_its_log(project: Project) -> None:
    query = "insert into pos_webhook_logs (pos_system, event_id, body) values ('some', 'e1', '')"
    with get_service_engine(WEBHOOK_ROLE).begin() as connection:
        connection.execute(text(query))
    assert project.value("select count(*) from pos_webhook_logs") == 1


@pytest.fixture
def reader(project: Project) -> Iterator[str]:
    """A login of the readers' role that was granted one tenant."""
    name = "sales_service_under_test"
    project.execute(f"create role {name} login in role pos_reader")
    project.execute(
        "insert into pos_reader_tenants (reader, tenant_id) values (:name, :tenant)", name=name, tenant=MINE
    )
    yield name
    project.execute(f"drop role {name}")


def test_a_reader_sees_the_tenants_it_was_granted(project: Project, reader: str) -> None:
    for tenant in (MINE, THEIRS):
        project.execute(_SALE, id=uuid4(), tenant=tenant)
    engine = create_engine(replace(project.address, user=reader).sqlalchemy())
    with engine.connect() as connection:
        assert connection.execute(text("select tenant_id from pos_transactions")).scalars().all() == [MINE]
    engine.dispose()


def test_a_mart_that_dbt_builds_anew_keeps_its_policies(project: Project, reader: str) -> None:
    before = project.value("select 'pos_transactions'::regclass::oid")
    project.execute("update pos_model_builds set fingerprint = 'older'")
    assert project.normalise().rebuilt
    assert project.value("select 'pos_transactions'::regclass::oid") != before
    test_every_table_of_tenants_has_row_level_security(project)
    test_a_reader_sees_the_tenants_it_was_granted(project, reader)


def test_what_a_small_user_may_not_do_is_told_and_done_by_a_superuser(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    superuser = create_engine(server.acquire().sqlalchemy(), isolation_level="AUTOCOMMIT")
    owner = create_engine(replace(server.address, user='sm"all').sqlalchemy())
    try:
        with superuser.connect() as connection:
            connection.execute(text('create role "sm""all" login'))
            connection.execute(text('alter database pos owner to "sm""all"'))
        migrate(owner)
        told = missing_roles(owner)
        assert 'grant pos_api, pos_webhook to "sm""all" with inherit false, set true' in told
        with superuser.connect() as connection:
            for statement in told:
                connection.execute(text(statement))
        assert missing_roles(owner) == []
        with owner.begin() as connection:
            assert roles.are_established(connection)
            connection.execute(text("set role pos_api"))
            assert connection.execute(text("select * from pos_configurations")).all() == []
    finally:
        owner.dispose()
        superuser.dispose()
        server.release()


_SALE = """
    insert into pos_transactions (
        transaction_id, tenant_id, configuration_id, pos_system, external_id, external_order_id,
        external_location_id, kind, status, is_revenue, occurred_at, business_date, timezone, currency,
        gross_sales_amount, discount_amount, net_sales_amount, tax_amount, service_charge_amount, tip_amount,
        rounding_amount, non_sales_amount, total_amount, residual_amount, paid_amount, item_count, source,
        first_received_at, normalized_at
    ) values (
        :id, :tenant, :id, 'some', 'e', 'e', 'l', 'sale', 'completed', true, now(), current_date, 'UTC',
        'EUR', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'poll', now(), now()
    )
"""


def _tenants(connection: Connection) -> list[UUID]:
    return list(connection.execute(text("select tenant_id from pos_audit_logs")).scalars())
