{%- set references = held_relation('pos_work', 'stg_square__order_references') if execute -%}
{%- set catalogue = ref('stg_square__catalog_objects') -%}
{%- if whole_history() or references is none -%}
select distinct configuration_id::uuid as configuration_id, external_id
from ({{ held_documents('square', 'orders') }}) as d
{%- else -%}
with pending as materialized ({{ pending_loads('square') }}),

orders as (
    select distinct configuration_id::uuid as configuration_id, external_id
    from {{ source('raw_square', 'orders') }}
    where _dlt_load_id in (select load_id from pending)
),

-- A location concerns its orders when what the models take from it differs from what they took before.
location_versions as (
    select v.*, v.load_id in (select load_id from pending) as is_new
    from {{ ref('stg_square__location_versions') }} as v
    where
        v.reject_reason is null
        and v.configuration_id in (
            select configuration_id::uuid
            from {{ source('raw_square', 'locations') }}
            where _dlt_load_id in (select load_id from pending)
        )
),

ranked_locations as (
    select
        v.configuration_id, v.location_id, v.timezone, v.currency, v.is_new,
        row_number() over (
            partition by v.configuration_id, v.location_id order by {{ newest_first('v') }}
        ) as rank,
        row_number() over (
            partition by v.configuration_id, v.location_id, v.is_new order by {{ newest_first('v') }}
        ) as rank_among_its_own
    from location_versions as v
),

changed_locations as (
    select l.configuration_id, l.location_id
    from ranked_locations as l
    left join ranked_locations as b
        on
            b.configuration_id = l.configuration_id and b.location_id = l.location_id
            and not b.is_new and b.rank_among_its_own = 1
    where
        l.rank = 1 and l.is_new
        and (b.location_id is null or (l.timezone, l.currency) is distinct from (b.timezone, b.currency))
),

-- The variations whose sku or category may be another one than before, and the lines that now choose a pending version.
new_objects as (
    select distinct configuration_id, object_type, object_id
    from {{ catalogue }}
    where load_id in (select load_id from pending)
),

new_items as (
    select configuration_id, object_id from new_objects where object_type = 'item'
    union
    select c.configuration_id, c.object_id
    from new_objects as n
    inner join {{ catalogue }} as c
        on c.configuration_id = n.configuration_id and c.object_type = 'item' and c.parent_id = n.object_id
    where n.object_type = 'category'
),

new_variations as (
    select configuration_id, object_id from new_objects where object_type = 'variation'
    union
    select c.configuration_id, c.object_id
    from new_items as n
    inner join {{ catalogue }} as c
        on c.configuration_id = n.configuration_id and c.object_type = 'variation' and c.parent_id = n.object_id
),

catalogue_uses as (
    select distinct r.configuration_id, r.reference_id as variation_id, r.catalog_version
    from new_variations as n
    inner join {{ references }} as r
        on r.configuration_id = n.configuration_id and r.kind = 'variation' and r.reference_id = n.object_id
),

catalogue_choices as (
    {{ catalogue_choices('catalogue_uses', catalogue) }}
)

select configuration_id, external_id from orders

union

-- A refund's state belongs to the return order; a payment's time offline to the order it paid.
select configuration_id::uuid, payload ->> 'order_id'
from {{ source('raw_square', 'refunds') }}
where _dlt_load_id in (select load_id from pending) and payload ->> 'order_id' is not null

union

select configuration_id::uuid, payload ->> 'order_id'
from {{ source('raw_square', 'payments') }}
where _dlt_load_id in (select load_id from pending) and payload ->> 'order_id' is not null

union

select r.configuration_id, r.external_id
from changed_locations as l
inner join {{ references }} as r
    on r.configuration_id = l.configuration_id and r.kind = 'location' and r.reference_id = l.location_id

union

-- A returned service charge is of its source's type, so the return follows the order that it returns.
select r.configuration_id, r.external_id
from orders as o
inner join {{ references }} as r
    on r.configuration_id = o.configuration_id and r.kind = 'order' and r.reference_id = o.external_id

union

select r.configuration_id, r.external_id
from catalogue_choices as c
inner join {{ references }} as r
    on
        r.configuration_id = c.configuration_id and r.kind = 'variation' and r.reference_id = c.variation_id
        and r.catalog_version is not distinct from c.catalog_version
where c.load_ids && array(select load_id from pending)

union

{{ requested_documents('square', 'orders') }}
{%- endif %}
