"""Tenants kept apart by row-level security; requests for syncs, OAuth states, origins in the audit trail."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0005"
down_revision = "core_0004"
branch_labels = None
depends_on = None

_CURRENT_TENANT = """
create function pos_current_tenant() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('pos.tenant_id', true), '')::uuid $$
"""

# Every table with a tenant_id gets its policies here and nowhere else: `pos init` and dbt call it.
_PROTECT = """
create function pos_protect(relation regclass, for_readers boolean default false) returns void
language plpgsql
as $body$
declare
    kind text := (
        select format_type(atttypid, null) from pg_attribute
        where attrelid = relation and attname = 'tenant_id' and not attisdropped
    );
begin
    if kind is null or (select relkind from pg_class where oid = relation) not in ('r', 'p') then
        return;
    end if;
    if not (select relrowsecurity from pg_class where oid = relation) then
        execute format('alter table %s enable row level security', relation);
    end if;
    if exists (select from pg_roles where rolname = 'pos_api') then
        execute format('grant select on %s to pos_api', relation);
        if not exists (select from pg_policy where polrelid = relation and polname = 'tenant_of_request') then
            execute format(
                'create policy tenant_of_request on %s to pos_api
                    using (tenant_id = (select pos_current_tenant()%s))',
                relation, case kind when 'uuid' then '' else '::text' end
            );
        end if;
    end if;
    if for_readers and exists (select from pg_roles where rolname = 'pos_reader') then
        execute format('grant select on %s to pos_reader', relation);
        if not exists (select from pg_policy where polrelid = relation and polname = 'tenants_of_reader') then
            execute format(
                'create policy tenants_of_reader on %s for select to pos_reader using (tenant_id = any (array(
                    select granted.tenant_id from pos_reader_tenants as granted
                    where granted.reader = current_user
                )))',
                relation
            );
        end if;
    end if;
end
$body$
"""


def upgrade() -> None:
    op.execute(_CURRENT_TENANT)
    op.execute(_PROTECT)
    op.create_table(
        "pos_reader_tenants",
        sa.Column("reader", sa.Text(), nullable=False, comment="the name of a login role in pos_reader"),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("reader", "tenant_id", name=op.f("pos_reader_tenants_pkey")),
    )
    op.create_table(
        "pos_connect_states",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_connect_states_pkey")),
        comment="OAuth connections that were begun; each can be ended once",
    )
    op.create_table(
        "pos_sync_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("configuration_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column(
            "requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("read_from", sa.DateTime(timezone=True), nullable=True, comment="null: what is missing"),
        sa.Column("read_to", sa.DateTime(timezone=True), nullable=True, comment="null: until now"),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column(
            "launched_at", sa.DateTime(timezone=True), nullable=True, comment="when a run was asked for"
        ),
        sa.Column("sync_id", sa.Uuid(), nullable=True, comment="the sync that took it"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('queued', 'running', 'succeeded', 'failed')",
            name="pos_sync_requests_status_check",
        ),
        sa.CheckConstraint("read_from < read_to", name=op.f("pos_sync_requests_half_open_check")),
        sa.ForeignKeyConstraint(
            ["configuration_id"],
            ["pos_configurations.id"],
            name=op.f("pos_sync_requests_configuration_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_sync_requests_pkey")),
        comment="syncs that somebody asked for; the same again while one is open is the same one",
    )
    op.create_index(
        "pos_sync_requests_open_key",
        "pos_sync_requests",
        ["configuration_id", "read_from", "read_to"],
        unique=True,
        postgresql_where=sa.text("status in ('queued', 'running')"),
        postgresql_nulls_not_distinct=True,
    )
    op.add_column(
        "pos_audit_logs",
        sa.Column("origin", sa.Text(), nullable=True, comment="the address or host that it came from"),
    )
    op.add_column("pos_audit_logs", sa.Column("request_id", sa.Text(), nullable=True))
    op.add_column(
        "pos_configurations",
        sa.Column("credentials_hint", postgresql.JSONB(), nullable=True, comment="by key, the last letters"),
    )
    op.drop_constraint(op.f("pos_configurations_status_check"), "pos_configurations", type_="check")
    op.create_check_constraint(
        op.f("pos_configurations_status_check"),
        "pos_configurations",
        "status in ('active', 'disabled', 'deleted')",
    )


def downgrade() -> None:
    op.execute("update pos_configurations set status = 'disabled' where status = 'deleted'")
    op.drop_constraint(op.f("pos_configurations_status_check"), "pos_configurations", type_="check")
    op.create_check_constraint(
        op.f("pos_configurations_status_check"), "pos_configurations", "status in ('active', 'disabled')"
    )
    op.drop_column("pos_configurations", "credentials_hint")
    op.drop_column("pos_audit_logs", "request_id")
    op.drop_column("pos_audit_logs", "origin")
    op.drop_table("pos_sync_requests")
    op.drop_table("pos_connect_states")
    op.execute(
        """
        do $$ declare relation regclass; begin
            for relation in select polrelid from pg_policy where polname = 'tenants_of_reader' loop
                execute format('drop policy tenants_of_reader on %s', relation);
            end loop;
            for relation in select polrelid from pg_policy where polname = 'tenant_of_request' loop
                execute format('drop policy tenant_of_request on %s', relation);
            end loop;
        end $$
        """
    )
    op.drop_table("pos_reader_tenants")
    op.execute("drop function pos_protect(regclass, boolean)")
    op.execute("drop function pos_current_tenant()")
