with refunds as (
    select configuration_id, external_id, bool_and(status = 'failed') as is_failed
    from {{ ref('stg_square__order_refunds') }}
    group by configuration_id, external_id
),

-- Orders that were paid offline altogether, and when the last of their payments was taken.
offline as (
    select t.configuration_id, t.external_id, max(p.taken_at) as taken_at
    from {{ ref('stg_square__order_tenders') }} as t
    left join {{ ref('stg_square__payments') }} as p
        on
            p.configuration_id = t.configuration_id and p.external_order_id = t.external_id
            and p.external_payment_id = t.external_payment_id
    where t.is_payment and t.status not in ('voided', 'failed')
    group by t.configuration_id, t.external_id
    having bool_and(coalesce(p.is_offline, false))
),

documents as (
    select
        o.*,
        case when o.kind = 'return' and o.state = 'completed' and r.is_failed then 'canceled' else o.state end as status,
        {{ instant("(o.payload ->> 'created_at')") }} as opened_at,
        {{ instant("(o.payload ->> 'closed_at')") }} as closed_at,
        f.external_id is not null as is_offline,
        f.taken_at,
        coalesce(c.day_starts_at, time '00:00') as day_starts_at,
        s.source_order_id,
        x.has_inclusive, x.has_additive
    from {{ ref('stg_square__orders') }} as o
    left join {{ source('pos', 'pos_configurations') }} as c on c.id = o.configuration_id
    left join refunds as r on r.configuration_id = o.configuration_id and r.external_id = o.external_id
    left join offline as f on f.configuration_id = o.configuration_id and f.external_id = o.external_id
    left join lateral (
        select case when min(e.value ->> 'source_order_id') = max(e.value ->> 'source_order_id')
            then min(e.value ->> 'source_order_id') end as source_order_id
        from {{ elements("o.payload -> 'returns'") }} as e (value)
    ) as s on true
    left join lateral (
        select
            coalesce(bool_or(t.type = 'INCLUSIVE'), false) as has_inclusive,
            coalesce(bool_or(t.type = 'ADDITIVE'), false) as has_additive
        from (
            select jsonb_path_query(o.payload, '$.taxes[*].type') #>> '{}' as type
            union all
            select jsonb_path_query(o.payload, '$.returns[*].return_taxes[*].type') #>> '{}'
        ) as t
    ) as x on true
),

timed as (
    select
        d.*,
        case
            when d.is_offline then coalesce(d.taken_at, d.opened_at)
            else coalesce(d.closed_at, d.opened_at)
        end as occurred_at
    from documents as d
)

select
    {{ row_id('d.configuration_id', 'd.external_id') }} as transaction_id,
    d.tenant_id,
    d.configuration_id,
    'square' as pos_system,
    d.external_id,
    d.external_id as external_order_id,
    d.location_id as external_location_id,
    d.source_order_id as parent_external_id,
    d.source_order_id as parent_external_order_id,
    d.kind,
    d.status,
    d.status = 'completed' and d.kind in ('sale', 'return', 'exchange') as is_revenue,
    case when d.has_inclusive <> d.has_additive then d.has_inclusive end as prices_include_tax,
    d.opened_at,
    d.closed_at,
    d.occurred_at,
    {{ business_date('d.occurred_at', 'd.timezone', 'd.day_starts_at') }} as business_date,
    d.timezone,
    d.currency,
    a.net_sales_amount + a.discount_amount as gross_sales_amount,
    a.discount_amount,
    a.net_sales_amount,
    a.tax_amount,
    a.service_charge_amount,
    a.tip_amount,
    a.rounding_amount,
    a.non_sales_amount,
    a.total_amount,
    d.external_version,
    d.external_updated_at,
    d.source,
    d.first_received_at
from timed as d
inner join {{ ref('stg_square__order_amounts') }} as a
    on a.configuration_id = d.configuration_id and a.external_id = d.external_id
