"""Two questions across tenants that a request may have answered with yes or no; pages of the audit trail."""

from alembic import op

revision = "core_0007"
down_revision = "core_0006"
branch_labels = None
depends_on = None

# They run with the rights of the tables' owner, so that nobody but the HTTP service may call them, see
# `pos_core.database.roles`.
_LIVE_ELSEWHERE = """
create function pos_live_elsewhere(asking_tenant uuid, asked_pos_system text, location_ids text[])
returns boolean
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select exists (
        select from pos_configuration_locations
        where pos_system = asked_pos_system and external_location_id = any (location_ids)
            and is_live and tenant_id <> asking_tenant
    )
$$
"""
_ACCOUNT_ELSEWHERE = """
create function pos_account_elsewhere(asked_configuration uuid) returns boolean
language sql stable security definer
set search_path = pg_catalog, public, pg_temp
as $$
    select exists (
        select from pos_configurations as asked
        inner join pos_configurations as other using (pos_system, account_id, base_url)
        where asked.id = asked_configuration and other.id <> asked.id and other.credentials_sealed is not null
    )
$$
"""


def upgrade() -> None:
    op.execute(_LIVE_ELSEWHERE)
    op.execute(_ACCOUNT_ELSEWHERE)
    op.execute("revoke execute on function pos_live_elsewhere(uuid, text, text[]) from public")
    op.execute("revoke execute on function pos_account_elsewhere(uuid) from public")
    op.create_index(op.f("pos_audit_logs_tenant_id_id_idx"), "pos_audit_logs", ["tenant_id", "id"])
    op.create_index(
        op.f("pos_audit_logs_configuration_id_id_idx"), "pos_audit_logs", ["configuration_id", "id"]
    )
    op.create_index(
        op.f("pos_configurations_pos_system_account_id_idx"),
        "pos_configurations",
        ["pos_system", "account_id"],
    )


def downgrade() -> None:
    op.drop_index(op.f("pos_configurations_pos_system_account_id_idx"), table_name="pos_configurations")
    op.drop_index(op.f("pos_audit_logs_configuration_id_id_idx"), table_name="pos_audit_logs")
    op.drop_index(op.f("pos_audit_logs_tenant_id_id_idx"), table_name="pos_audit_logs")
    op.execute("drop function pos_account_elsewhere(uuid)")
    op.execute("drop function pos_live_elsewhere(uuid, text, text[])")
