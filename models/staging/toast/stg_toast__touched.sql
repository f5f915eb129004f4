{%- set references = held_relation('pos_work', 'stg_toast__order_references') if execute -%}
{%- if whole_history() or references is none -%}
select distinct configuration_id::uuid as configuration_id, external_id
from ({{ held_documents('toast', 'orders') }}) as d
{%- else -%}
with recursive pending as materialized ({{ pending_loads('toast') }}),

orders as (
    select distinct configuration_id::uuid as configuration_id, external_id
    from {{ source('raw_toast', 'orders') }}
    where _dlt_load_id in (select load_id from pending)
),

-- A restaurant concerns its orders when what the models take from it differs from what they took before.
restaurant_versions as (
    select v.*, v.load_id in (select load_id from pending) as is_new
    from {{ ref('stg_toast__restaurant_versions') }} as v
    where
        v.reject_reason is null
        and v.configuration_id in (
            select configuration_id::uuid
            from {{ source('raw_toast', 'restaurants') }}
            where _dlt_load_id in (select load_id from pending)
        )
),

ranked_restaurants as (
    select
        v.configuration_id, v.restaurant_id, v.timezone, v.currency, v.closeout_hour, v.is_new,
        row_number() over (
            partition by v.configuration_id, v.restaurant_id order by {{ newest_first('v') }}
        ) as rank,
        row_number() over (
            partition by v.configuration_id, v.restaurant_id, v.is_new order by {{ newest_first('v') }}
        ) as rank_among_its_own
    from restaurant_versions as v
),

changed_restaurants as (
    select r.configuration_id, r.restaurant_id
    from ranked_restaurants as r
    left join ranked_restaurants as b
        on
            b.configuration_id = r.configuration_id and b.restaurant_id = r.restaurant_id
            and not b.is_new and b.rank_among_its_own = 1
    where
        r.rank = 1 and r.is_new
        and (
            b.restaurant_id is null
            or (r.timezone, r.currency, r.closeout_hour)
            is distinct from (b.timezone, b.currency, b.closeout_hour)
        )
),

-- A name concerns the orders that refer to it when the newest one differs from the newest before.
config_versions as (
    select
        d.configuration_id, d.external_id, d.payload ->> 'name' as name,
        d._dlt_load_id in (select load_id from pending) as is_new,
        d.external_version, d.external_updated_at, d.read_at, d.content_hash, d.received_at, d.source
    from ({{ held_documents('toast', 'config') }}) as d
    where (d.configuration_id, d.external_id) in (
        select configuration_id, external_id
        from {{ source('raw_toast', 'config') }}
        where _dlt_load_id in (select load_id from pending)
    )
),

ranked_config as (
    select
        v.configuration_id, v.external_id, v.name, v.is_new,
        row_number() over (
            partition by v.configuration_id, v.external_id order by {{ newest_first('v') }}
        ) as rank,
        row_number() over (
            partition by v.configuration_id, v.external_id, v.is_new order by {{ newest_first('v') }}
        ) as rank_among_its_own
    from config_versions as v
),

changed_config as (
    select c.configuration_id::uuid as configuration_id, c.external_id as config_id
    from ranked_config as c
    left join ranked_config as b
        on
            b.configuration_id = c.configuration_id and b.external_id = c.external_id
            and not b.is_new and b.rank_among_its_own = 1
    where c.rank = 1 and c.is_new and c.name is distinct from b.name
),

-- Which of two orders a check belongs to is decided by both, so orders that share one are normalised together. What the
-- pending documents list is not among the references yet.
listed_checks as materialized (
    select distinct d.configuration_id::uuid as configuration_id, c.value ->> 'guid' as check_id
    from {{ source('raw_toast', 'orders') }} as d
    cross join lateral {{ elements("d.payload::jsonb -> 'checks'") }} as c (value)
    where d._dlt_load_id in (select load_id from pending)
),

seeds as materialized (
    select configuration_id, external_id from orders

    union

    select r.configuration_id, r.external_id
    from changed_restaurants as c
    inner join {{ references }} as r
        on
            r.configuration_id = c.configuration_id and r.kind = 'restaurant'
            and r.reference_id in (c.restaurant_id, '')

    union

    select r.configuration_id, r.external_id
    from changed_config as c
    inner join {{ references }} as r
        on r.configuration_id = c.configuration_id and r.kind = 'config' and r.reference_id = c.config_id

    union

    select l.configuration_id, r.external_id
    from listed_checks as l
    -- The offset keeps each of these look-ups by its index, however little is known of a table that has just been filled.
    cross join lateral (
        select o.external_id
        from {{ references }} as o
        where o.configuration_id = l.configuration_id and o.kind = 'check' and o.reference_id = l.check_id
        offset 0
    ) as r

    union

    {{ requested_documents('toast', 'orders') }}
),

batch (configuration_id, external_id) as (
    select configuration_id, external_id from seeds

    union

    select b.configuration_id, r.external_id
    from batch as b
    cross join lateral (
        select m.reference_id as check_id
        from {{ references }} as m
        where m.configuration_id = b.configuration_id and m.external_id = b.external_id and m.kind = 'check'
        offset 0
    ) as c
    cross join lateral (
        select o.external_id
        from {{ references }} as o
        where o.configuration_id = b.configuration_id and o.kind = 'check' and o.reference_id = c.check_id
        offset 0
    ) as r
)

select configuration_id, external_id from batch
{%- endif %}
