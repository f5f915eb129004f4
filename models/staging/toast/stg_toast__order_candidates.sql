{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'external_id']}],
    post_hook=[stored_plainly('payload'), 'analyze {{ this }}']
) }}

-- An order says its restaurant only where it was read or sent with it. It never changes its restaurant, so any version
-- may say it; where none does, the only restaurant of the configuration is the one.
with versions as (
    select
        v.*,
        min(v.payload ->> 'restaurantGuid') filter (where v.reject_reason is null)
            over (partition by v.configuration_id, v.external_id) as told_restaurant_id
    from {{ ref('stg_toast__order_versions') }} as v
),

only_restaurants as (
    select configuration_id, min(restaurant_id) as restaurant_id
    from {{ ref('stg_toast__restaurants') }}
    group by configuration_id
    having count(*) = 1
)

select
    v.configuration_id, v.tenant_id, v.external_id,
    v.external_version, v.external_updated_at, v.content_hash, v.source, v.read_at, v.received_at,
    v.payload,
    v.reject_reason,
    v.told_restaurant_id,
    coalesce(v.told_restaurant_id, n.restaurant_id) as restaurant_id,
    r.timezone, r.currency, r.closeout_hour,
    -- When any document of this key was received first, rejected ones included.
    min(v.received_at) over (partition by v.configuration_id, v.external_id) as first_received_at,
    case
        when v.reject_reason is null then row_number() over (
            partition by v.configuration_id, v.external_id
            order by (v.reject_reason is null) desc, {{ newest_first('v') }}
        )
    end as rank,
    case
        when v.reject_reason is not null then null
        when coalesce(v.told_restaurant_id, n.restaurant_id) is null
            then 'the order does not say its restaurant, and the configuration has not exactly one'
        when r.restaurant_id is null then 'restaurant ' || v.told_restaurant_id || ' is not known yet'
    end as waiting_reason
from versions as v
left join only_restaurants as n on n.configuration_id = v.configuration_id
left join {{ ref('stg_toast__restaurants') }} as r
    on r.configuration_id = v.configuration_id and r.restaurant_id = coalesce(v.told_restaurant_id, n.restaurant_id)
