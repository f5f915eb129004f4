"""One tenant's trouble is its own: breakers of vendors, postponed syncs, spread due times, open hours."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "core_0009"
down_revision = "core_0008"
branch_labels = None
depends_on = None

# Slots lie one interval apart, each configuration's own by its id, so that what was connected together does
# not come due together. In a closed hour the next slot is further away, but never beyond the first slot of
# the next open hour.
_NEXT_SYNC_AT = """
create function pos_next_sync_at(
    of_configuration uuid, interval_seconds integer, open_hours smallint[], after timestamptz
) returns timestamptz
language sql immutable parallel safe
as $$
    with given as (
        select
            extract(epoch from after) as at,
            hashtextextended(of_configuration::text, 0) & 9223372036854775807 as hash,
            interval_seconds::bigint as usual,
            least(interval_seconds::bigint * 4, greatest(interval_seconds::bigint, 3600)) as seldom,
            (
                (extract(isodow from after at time zone 'UTC') - 1) * 24
                + extract(hour from after at time zone 'UTC')
            )::integer as hour
    ),
    opening as (
        select given.*, (
            select floor(at / 3600) * 3600 + min((each - hour + 168) % 168) * 3600
            from unnest(open_hours) as each
        ) as opens_at
        from given
    ),
    slots as (
        select
            opening.*,
            (floor((at - hash % usual) / usual) + 1) * usual + hash % usual as usual_slot,
            (floor((at - hash % seldom) / seldom) + 1) * seldom + hash % seldom as seldom_slot,
            ceil((opens_at - hash % usual) / usual) * usual + hash % usual as opening_slot
        from opening
    )
    select to_timestamp(
        case
            when opens_at is null or opens_at <= at then usual_slot
            else least(seldom_slot, opening_slot)
        end::double precision
    )
    from slots
$$
"""


def upgrade() -> None:
    op.add_column(
        "pos_configurations",
        sa.Column(
            "open_hours",
            postgresql.ARRAY(sa.SmallInteger()),
            nullable=True,
            comment="of the week in UTC, 0 is Monday 0:00; null: not known",
        ),
    )
    op.execute(_NEXT_SYNC_AT)
    for name in ("documents_new", "documents_changed"):
        op.add_column("pos_sync_logs", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.alter_column(
        "pos_sync_logs",
        "seconds",
        existing_type=postgresql.JSONB(),
        comment="per step: fetch, land, normalise",
    )
    op.drop_constraint(op.f("pos_sync_logs_status_check"), "pos_sync_logs", type_="check")
    op.create_check_constraint(
        op.f("pos_sync_logs_status_check"),
        "pos_sync_logs",
        "status in ('running', 'succeeded', 'failed', 'postponed')",
    )
    op.create_table(
        "pos_vendor_breakers",
        sa.Column("pos_system", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column(
            "trips", sa.Integer(), nullable=False, comment="how often in a row it was found not to answer"
        ),
        sa.Column(
            "open_until", sa.DateTime(timezone=True), nullable=False, comment="nobody asks the vendor before"
        ),
        sa.Column("error_class", sa.Text(), nullable=True, comment="of the failure that tripped it last"),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("pos_system", "base_url", name=op.f("pos_vendor_breakers_pkey")),
        comment="vendors that do not answer; a row goes away with the first answer",
    )


def downgrade() -> None:
    op.drop_table("pos_vendor_breakers")
    op.drop_constraint(op.f("pos_sync_logs_status_check"), "pos_sync_logs", type_="check")
    op.execute("delete from pos_sync_logs where status = 'postponed'")
    op.create_check_constraint(
        op.f("pos_sync_logs_status_check"), "pos_sync_logs", "status in ('running', 'succeeded', 'failed')"
    )
    op.alter_column(
        "pos_sync_logs", "seconds", existing_type=postgresql.JSONB(), comment="per step: fetch, land"
    )
    for name in ("documents_changed", "documents_new"):
        op.drop_column("pos_sync_logs", name)
    op.execute("drop function pos_next_sync_at(uuid, integer, smallint[], timestamptz)")
    op.drop_column("pos_configurations", "open_hours")
