{{ config(
    materialized='incremental',
    incremental_strategy='replace_batch',
    unlogged=false,
    on_schema_change='fail',
    indexes=[
        {'columns': ['configuration_id', 'kind', 'reference_id']},
        {'columns': ['configuration_id', 'external_id']},
    ],
    meta={'batch_delete': batch_delete_by_key('external_id')}
) }}

-- Winners whose location is unknown as well: its document has to find them.
with orders as (
    select configuration_id, external_id, location_id, payload
    from {{ ref('stg_square__order_candidates') }}
    where is_winner
),

lines as (
    select o.configuration_id, o.external_id, l.value as line
    from orders as o
    cross join lateral (
        select value from {{ elements("o.payload -> 'line_items'") }}
        union all
        select l.value
        from {{ elements("o.payload -> 'returns'") }} as r (value)
        cross join lateral {{ elements("r.value -> 'return_line_items'") }} as l (value)
    ) as l
)

select configuration_id, external_id, 'location' as kind, location_id as reference_id, null::bigint as catalog_version
from orders

union all

select distinct
    configuration_id, external_id, 'variation', line ->> 'catalog_object_id',
    {{ whole_number("(line -> 'catalog_version')") }}
from lines
where line ->> 'catalog_object_id' is not null

union all

select distinct o.configuration_id, o.external_id, 'order', r.value ->> 'source_order_id', null::bigint
from orders as o
cross join lateral {{ elements("o.payload -> 'returns'") }} as r (value)
where
    r.value ->> 'source_order_id' is not null
    and r.value @? '$.return_service_charges[*] ? (!exists(@.type))'
