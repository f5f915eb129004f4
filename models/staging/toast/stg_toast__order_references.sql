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

-- Every version that is fit for use, of orders that wait as well: what lands later has to find them.
with orders as (
    select configuration_id, external_id, told_restaurant_id, restaurant_id, payload
    from {{ ref('stg_toast__order_candidates') }}
    where rank is not null
),

nodes as (
    select o.configuration_id, o.external_id, o.restaurant_id, n.value as node
    from orders as o
    cross join lateral jsonb_path_query(
        o.payload, 'strict $.** ? (@.type() == "object" && exists(@.salesCategory))', '{}', true
    ) as n (value)
    where o.restaurant_id is not null
)

-- An order that does not say its restaurant follows every restaurant of its configuration.
select distinct
    configuration_id, external_id, 'restaurant' as kind, coalesce(told_restaurant_id, '') as reference_id
from orders

union

select o.configuration_id, o.external_id, 'check', c.value ->> 'guid'
from orders as o
cross join lateral {{ elements("o.payload -> 'checks'") }} as c (value)

union

select configuration_id, external_id, 'config', restaurant_id || '/salesCategories/' || (node #>> '{salesCategory,guid}')
from nodes
where node #>> '{salesCategory,guid}' is not null
