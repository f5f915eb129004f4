{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'external_id']}],
    post_hook=[stored_plainly('payload'), 'analyze {{ this }}']
) }}

select
    v.configuration_id, v.tenant_id, v.external_id,
    v.external_version, v.external_updated_at, v.content_hash, v.source, v.read_at, v.received_at,
    v.payload,
    v.reject_reason,
    v.payload ->> 'location_id' as location_id,
    l.timezone,
    coalesce(v.currency, l.currency) as currency,
    -- When any document of this key was received first, rejected ones included.
    min(v.received_at) over (partition by v.configuration_id, v.external_id) as first_received_at,
    v.reject_reason is null
    and row_number() over (
        partition by v.configuration_id, v.external_id
        order by (v.reject_reason is null) desc, {{ newest_first('v') }}
    ) = 1 as is_winner,
    case
        when v.reject_reason is not null then null
        when l.location_id is null then 'location ' || (v.payload ->> 'location_id') || ' is not known yet'
        when coalesce(v.currency, l.currency) is null
            then 'the order has no amount and location ' || (v.payload ->> 'location_id') || ' no currency'
    end as waiting_reason
from {{ ref('stg_square__order_versions') }} as v
left join {{ ref('stg_square__locations') }} as l
    on l.configuration_id = v.configuration_id and l.location_id = v.payload ->> 'location_id'
