{%- set references = held_relation('pos_work', 'stg_lightspeed__sale_references') if execute -%}
{%- if whole_history() or references is none -%}
select distinct configuration_id::uuid as configuration_id, external_id
from ({{ held_documents('lightspeed', 'sales') }}) as d
{%- else -%}
with pending as materialized ({{ pending_loads('lightspeed') }}),

accounts as (
    select distinct configuration_id::uuid as configuration_id, external_id
    from {{ source('raw_lightspeed', 'sales') }}
    where _dlt_load_id in (select load_id from pending)
),

concerned as (
    select configuration_id::uuid as configuration_id
    from {{ source('raw_lightspeed', 'locations') }}
    where _dlt_load_id in (select load_id from pending)
    union
    select configuration_id::uuid
    from {{ source('raw_lightspeed', 'days') }}
    where _dlt_load_id in (select load_id from pending)
),

-- A location concerns its accounts when what the models take from it differs from what they took before.
location_versions as (
    select v.*, v.load_id in (select load_id from pending) as is_new
    from {{ ref('stg_lightspeed__location_versions') }} as v
    where v.reject_reason is null and v.configuration_id in (select configuration_id from concerned)
),

ranked_locations as (
    select
        v.configuration_id, v.location_id, v.timezone, v.currency, v.has_tax_in_prices, v.is_new,
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
        and (
            b.location_id is null
            or (l.timezone, l.currency, l.has_tax_in_prices)
            is distinct from (b.timezone, b.currency, b.has_tax_in_prices)
        )
),

-- A business day concerns the accounts of its location when it makes the day start at another time than before.
day_versions as (
    select v.*, v.load_id in (select load_id from pending) as is_new
    from {{ ref('stg_lightspeed__day_versions') }} as v
    where
        v.reject_reason is null and v.next_start_at is not null
        and v.configuration_id in (select configuration_id from concerned)
),

days_before as (
    select distinct on (v.configuration_id, v.location_id, v.business_date)
        v.configuration_id, v.location_id, v.business_date, v.next_start_at
    from day_versions as v
    where not v.is_new
    order by v.configuration_id, v.location_id, v.business_date, {{ newest_first('v') }}
),

days_now as (
    select distinct on (v.configuration_id, v.location_id, v.business_date)
        v.configuration_id, v.location_id, v.business_date, v.next_start_at, v.is_new
    from day_versions as v
    order by v.configuration_id, v.location_id, v.business_date, {{ newest_first('v') }}
),

changed_days as (
    select distinct d.configuration_id, d.location_id
    from days_now as d
    inner join ranked_locations as l
        on l.configuration_id = d.configuration_id and l.location_id = d.location_id and l.rank = 1
    left join lateral (
        select b.next_start_at
        from days_before as b
        where b.configuration_id = d.configuration_id and b.location_id = d.location_id
        order by
            (b.business_date <= d.business_date) desc,
            case
                when b.business_date <= d.business_date then d.business_date - b.business_date
                else b.business_date - d.business_date
            end
        limit 1
    ) as b on true
    where
        d.is_new
        and (d.next_start_at at time zone l.timezone)::time
        is distinct from (b.next_start_at at time zone l.timezone)::time
)

select configuration_id, external_id from accounts

union

-- A correction names the account that it goes back to by that account's reference, once it is there.
-- An account that is asked for by its id may be there again after it had been set aside.
select r.configuration_id, r.external_id
from (
    select configuration_id, external_id from accounts
    union
    select configuration_id, external_id
    from {{ source('pos', 'pos_touched_documents') }}
    where external_id is not null
) as a
inner join {{ references }} as r
    on r.configuration_id = a.configuration_id and r.kind = 'account' and r.reference_id = a.external_id

union

select r.configuration_id, r.external_id
from (
    select configuration_id, location_id from changed_locations
    union
    select configuration_id, location_id from changed_days
) as l
inner join {{ references }} as r
    on r.configuration_id = l.configuration_id and r.kind = 'location' and r.reference_id = l.location_id

union

{{ requested_documents('lightspeed', 'sales') }}
{%- endif %}
