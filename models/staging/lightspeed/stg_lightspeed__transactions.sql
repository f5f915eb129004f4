-- What starts the local day of a closing is the end of the business day before; of days that were not read, that of the
-- last one read before, else of the first one read, else the configuration's setting.
with documents as (
    select
        s.*,
        (s.closed_at at time zone s.timezone)::date as local_date,
        coalesce(c.day_starts_at, time '00:00') as day_starts_at
    from {{ ref('stg_lightspeed__sales') }} as s
    left join {{ source('pos', 'pos_configurations') }} as c on c.id = s.configuration_id
),

days as (
    select
        s.*,
        coalesce((coalesce(b.next_start_at, a.next_start_at) at time zone s.timezone)::time, s.day_starts_at)
            as local_start
    from documents as s
    left join lateral (
        select d.next_start_at
        from {{ ref('stg_lightspeed__days') }} as d
        where
            d.configuration_id = s.configuration_id and d.location_id = s.location_id
            and d.business_date < s.local_date
        order by d.business_date desc
        limit 1
    ) as b on true
    left join lateral (
        select d.next_start_at
        from {{ ref('stg_lightspeed__days') }} as d
        where
            d.configuration_id = s.configuration_id and d.location_id = s.location_id
            and d.business_date >= s.local_date
        order by d.business_date
        limit 1
    ) as a on b.next_start_at is null
)

select
    {{ row_id('s.configuration_id', 's.account_id') }} as transaction_id,
    s.tenant_id,
    s.configuration_id,
    'lightspeed' as pos_system,
    s.account_id as external_id,
    s.external_id as external_order_id,
    s.location_id as external_location_id,
    p.account_id as parent_external_id,
    s.initial_id as parent_external_order_id,
    s.kind,
    s.status,
    s.is_revenue,
    a.prices_include_tax,
    s.opened_at,
    s.closed_at,
    s.closed_at as occurred_at,
    {{ business_date('s.closed_at', 's.timezone', 's.local_start') }} as business_date,
    s.timezone,
    s.currency,
    a.net_sales_amount + a.discount_amount as gross_sales_amount,
    a.discount_amount,
    a.net_sales_amount,
    a.tax_amount,
    a.service_charge_amount,
    a.tip_amount,
    a.rounding_amount,
    a.non_sales_amount,
    a.total_amount,
    s.external_version,
    s.external_updated_at,
    s.source,
    s.first_received_at
from days as s
inner join {{ ref('stg_lightspeed__sale_amounts') }} as a
    on a.configuration_id = s.configuration_id and a.account_id = s.account_id
left join {{ ref('stg_lightspeed__parents') }} as p
    on p.configuration_id = s.configuration_id and p.initial_id = s.initial_id
