"""The inbox of webhooks: what waits and since when, the gate of the drain, counts, subscriptions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0008"
down_revision = "core_0007"
branch_labels = None
depends_on = None

# The receiver may read nothing by itself; these functions give it what it needs and no more.
_FUNCTIONS = (
    """
    create function pos_webhook_recipients(of_system text, accounts text[], locations text[])
    returns table (name text, is_location boolean, configuration_id uuid, tenant_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select c.account_id, false, c.id, c.tenant_id
        from pos_configurations as c
        where c.pos_system = of_system and c.status = 'active' and c.account_id = any (accounts)
        union all
        select l.external_location_id, true, c.id, c.tenant_id
        from pos_configuration_locations as l
        inner join pos_configurations as c on c.id = l.configuration_id and c.status = 'active'
        where l.pos_system = of_system and l.is_live and l.external_location_id = any (locations)
    $$
    """,
    """
    create function pos_webhook_connection(of_configuration uuid)
    returns table (pos_system text, tenant_id uuid, account_id text, credentials_sealed text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select c.pos_system, c.tenant_id, c.account_id, c.credentials_sealed
        from pos_configurations as c
        where c.id = of_configuration and c.status = 'active' and c.credentials_sealed is not null
    $$
    """,
    """
    create function pos_webhook_keys(of_system text)
    returns table (id uuid, url text, keys_sealed text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
        select s.id, s.url, s.keys_sealed from pos_webhook_subscriptions as s where s.pos_system = of_system
        union all
        select s.id, s.other_url, s.keys_sealed from pos_webhook_subscriptions as s
        where s.pos_system = of_system and s.other_url is not null
    $$
    """,
    """
    create function pos_webhook_knock() returns boolean
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
        with before as (select is_active from pos_webhook_gate where id = 1 for update)
        update pos_webhook_gate set is_active = true, is_dirty = true, knocked_at = now()
        from before where id = 1
        returning not before.is_active
    $$
    """,
    """
    create function pos_webhook_unanswered() returns void
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$ update pos_webhook_gate set is_active = false where id = 1 $$
    """,
    """
    create function pos_webhook_count(of_system text, of_outcome text, times bigint) returns void
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
        insert into pos_webhook_counts as c (pos_system, outcome, hour, events)
        values (of_system, of_outcome, date_trunc('hour', now()), times)
        on conflict (pos_system, outcome, hour) do update set events = c.events + excluded.events
    $$
    """,
)
_RUNS_ASKED_FOR = """
create function pos_runs_asked_for(within interval) returns bigint
language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$
    select count(distinct (launched_at, read_from, read_to)) from pos_sync_requests
    where status = 'running' or (status = 'queued' and launched_at > now() - within)
$$
"""
_NAMES = (
    "pos_runs_asked_for(interval)",
    "pos_webhook_recipients(text, text[], text[])",
    "pos_webhook_connection(uuid)",
    "pos_webhook_keys(text)",
    "pos_webhook_knock()",
    "pos_webhook_unanswered()",
    "pos_webhook_count(text, text, bigint)",
)


def upgrade() -> None:
    op.drop_constraint(op.f("pos_webhook_logs_pos_system_event_id_key"), "pos_webhook_logs", type_="unique")
    op.create_unique_constraint(
        op.f("pos_webhook_logs_pos_system_event_id_configuration_id_key"),
        "pos_webhook_logs",
        ["pos_system", "event_id", "configuration_id"],
        postgresql_nulls_not_distinct=True,
    )
    for column in (
        sa.Column("external_ids", postgresql.ARRAY(sa.Text()), nullable=True, comment="sales it announces"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "available_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="not to be tried before",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it still waits, or was given up"),
        sa.Column(
            "visible_at", sa.DateTime(timezone=True), nullable=True, comment="when the marts had its rows"
        ),
    ):
        op.add_column("pos_webhook_logs", column)
    op.create_check_constraint(
        op.f("pos_webhook_logs_outcome_check"),
        "pos_webhook_logs",
        "outcome in ('pending', 'processed', 'ignored', 'unknown_account', 'given_up')",
    )
    op.create_index(
        "pos_webhook_logs_pending_idx",
        "pos_webhook_logs",
        ["available_at"],
        postgresql_where=sa.text("outcome = 'pending'"),
    )
    op.create_index(
        op.f("pos_webhook_logs_configuration_id_received_at_idx"),
        "pos_webhook_logs",
        ["configuration_id", "received_at"],
    )
    op.create_index(
        op.f("pos_webhook_logs_pos_system_received_at_idx"), "pos_webhook_logs", ["pos_system", "received_at"]
    )
    op.create_table(
        "pos_webhook_gate",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False, comment="a drain was asked for or runs"),
        sa.Column("is_dirty", sa.Boolean(), nullable=False, comment="events came since it last looked"),
        sa.Column("knocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("pos_webhook_gate_single_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_webhook_gate_pkey")),
        comment="lets one drain be asked for, however many events come",
    )
    op.execute("insert into pos_webhook_gate (id, is_active, is_dirty) values (1, false, false)")
    op.create_table(
        "pos_webhook_counts",
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="refused, malformed or repeated"),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pos_system", "outcome", "hour", name=op.f("pos_webhook_counts_pkey")),
        comment="deliveries of which nothing is stored",
    )
    op.create_table(
        "pos_webhook_subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True, comment="null until the vendor has one"),
        sa.Column("url", sa.Text(), nullable=False, comment="as the vendor has it"),
        sa.Column(
            "other_url",
            sa.Text(),
            nullable=True,
            comment="accepted as well: the address before or after a change",
        ),
        sa.Column("base_url", sa.Text(), nullable=False, comment="the vendor address it was made at"),
        sa.Column("keys_sealed", sa.Text(), nullable=False, comment="the signature keys, current one first"),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column(
            "rotated_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when the previous key or address is only accepted",
        ),
        sa.Column(
            "request_key", sa.Uuid(), nullable=True, comment="of a request whose answer is not stored yet"
        ),
        sa.Column("problem", sa.Text(), nullable=True, comment="why the last attempt failed"),
        sa.Column("checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pos_webhook_subscriptions_pkey")),
        sa.UniqueConstraint(
            "pos_system", "base_url", name=op.f("pos_webhook_subscriptions_pos_system_base_url_key")
        ),
    )
    for name in ("changes_announced", "changes_unannounced", "changes_unpolled"):
        op.add_column("pos_sync_logs", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    for statement in (*_FUNCTIONS, _RUNS_ASKED_FOR):
        op.execute(statement)
    for name in _NAMES:
        op.execute(f"revoke all on function {name} from public")


def downgrade() -> None:
    for name in _NAMES:
        op.execute(f"drop function {name}")
    for name in ("changes_unpolled", "changes_unannounced", "changes_announced"):
        op.drop_column("pos_sync_logs", name)
    op.drop_table("pos_webhook_subscriptions")
    op.drop_table("pos_webhook_counts")
    op.drop_table("pos_webhook_gate")
    op.drop_index(op.f("pos_webhook_logs_pos_system_received_at_idx"), table_name="pos_webhook_logs")
    op.drop_index(op.f("pos_webhook_logs_configuration_id_received_at_idx"), table_name="pos_webhook_logs")
    op.drop_index("pos_webhook_logs_pending_idx", table_name="pos_webhook_logs")
    op.drop_constraint(op.f("pos_webhook_logs_outcome_check"), "pos_webhook_logs", type_="check")
    for name in ("visible_at", "reason", "available_at", "attempts", "external_ids"):
        op.drop_column("pos_webhook_logs", name)
    op.execute(
        "delete from pos_webhook_logs as a using pos_webhook_logs as b "
        "where a.pos_system = b.pos_system and a.event_id = b.event_id and a.id > b.id"
    )
    op.drop_constraint(
        op.f("pos_webhook_logs_pos_system_event_id_configuration_id_key"), "pos_webhook_logs", type_="unique"
    )
    op.create_unique_constraint(
        op.f("pos_webhook_logs_pos_system_event_id_key"), "pos_webhook_logs", ["pos_system", "event_id"]
    )
