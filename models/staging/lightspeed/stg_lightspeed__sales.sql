with accounts as (
    select
        c.*,
        coalesce(c.payload ->> 'cancelled' = 'true', false) as is_cancelled,
        coalesce(c.payload ->> 'type', '') as account_type,
        nullif(nullif(c.payload #>> '{source,initialAccountId}', ''), c.external_id) as initial_id
    from {{ ref('stg_lightspeed__sale_candidates') }} as c
    where c.is_winner and c.waiting_reason is null
)

select
    a.configuration_id, a.tenant_id, a.external_id, a.account_id,
    a.external_version, a.external_updated_at, a.source, a.first_received_at,
    a.location_id, a.timezone, a.currency, a.has_tax_in_prices,
    a.opened_at, a.closed_at,
    a.payload,
    a.initial_id,
    a.is_cancelled,
    coalesce(t.kind, 'other') as kind,
    case when a.is_cancelled or a.account_type = 'CANCEL' then 'canceled' else 'completed' end as status,
    coalesce(t.is_revenue, false) and not a.is_cancelled as is_revenue
from accounts as a
left join {{ ref('account_types') }} as t on t.account_type = a.account_type
