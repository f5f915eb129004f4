"""The documents that refer to an order, for the API's role.

Row-level security lets no index on `payload ->> 'order_id'` be used, as `->>` is not leakproof: a look-up
would read every document of its configuration. The function is held to the transaction's tenant by itself.
"""

from alembic import op

revision = "core_0006"
down_revision = "core_0005"
branch_labels = None
depends_on = None

_FUNCTION = """
create function pos_documents_of_order(
    pos_system text, stream text, configuration uuid, order_id text, newest integer
) returns table (
    external_id text, external_version bigint, external_updated_at timestamptz, content_hash text,
    source text, read_at timestamptz, received_at timestamptz, payload json
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $body$
begin
    return query execute format(
        $query$
            select
                d.external_id, d.external_version, d.external_updated_at, d.content_hash, d.source, d.read_at,
                d.received_at, d.payload
            from %1$I.%2$I as d
            where
                d.configuration_id = $1 and d.payload ->> 'order_id' = $2 and d.tenant_id = $3
                and exists (
                    select from %1$I._dlt_loads as l where l.load_id = d._dlt_load_id and l.status = 0
                )
            order by d.received_at desc, d.read_at desc nulls last, d.external_id, d.content_hash
            limit $4
        $query$,
        'raw_' || pos_system, stream
    )
    using configuration::text, order_id, public.pos_current_tenant()::text, newest;
end
$body$
"""


def upgrade() -> None:
    op.execute(_FUNCTION)
    op.execute("revoke execute on function pos_documents_of_order from public")


def downgrade() -> None:
    op.execute("drop function pos_documents_of_order")
