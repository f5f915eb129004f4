with documents as (
    select
        c.configuration_id, c.check_id, c.check_id as external_id,
        null::text as parent_external_id, null::text as parent_external_order_id,
        case when c.is_no_sale then 'other' else 'sale' end as kind,
        c.status,
        c.status = 'completed' and not c.is_no_sale as is_revenue,
        a.prices_include_tax, c.opened_at, c.closed_at, c.occurred_at, c.business_date,
        a.discount_amount, a.net_sales_amount, a.tax_amount, a.service_charge_amount, a.tip_amount, a.rounding_amount,
        a.non_sales_amount, a.total_amount
    from {{ ref('stg_toast__checks') }} as c
    inner join {{ ref('stg_toast__check_amounts') }} as a
        on a.configuration_id = c.configuration_id and a.check_id = c.check_id

    union all

    select
        c.configuration_id, c.check_id, r.external_id,
        c.check_id, c.external_order_id,
        'return',
        case when c.status in ('voided', 'deleted') then c.status else 'completed' end,
        c.status not in ('voided', 'deleted') and not c.is_no_sale,
        a.prices_include_tax, r.refunded_at, r.refunded_at, coalesce(r.refunded_at, c.occurred_at),
        coalesce(
            r.refund_business_date,
            {{ business_date('r.refunded_at', 'c.timezone', 'make_time(c.closeout_hour, 0, 0)') }},
            c.business_date
        ),
        0, r.net_sales_amount, r.tax_amount, r.service_charge_amount, r.tip_amount, r.rounding_amount,
        r.non_sales_amount, r.total_amount
    from {{ ref('stg_toast__checks') }} as c
    inner join {{ ref('stg_toast__refunds') }} as r
        on r.configuration_id = c.configuration_id and r.check_id = c.check_id
    inner join {{ ref('stg_toast__check_amounts') }} as a
        on a.configuration_id = c.configuration_id and a.check_id = c.check_id
)

select
    {{ row_id('d.configuration_id', 'd.external_id') }} as transaction_id,
    c.tenant_id,
    d.configuration_id,
    'toast' as pos_system,
    d.external_id,
    c.external_order_id,
    c.restaurant_id as external_location_id,
    d.parent_external_id,
    d.parent_external_order_id,
    d.kind,
    d.status,
    d.is_revenue,
    d.prices_include_tax,
    d.opened_at,
    d.closed_at,
    d.occurred_at,
    d.business_date,
    c.timezone,
    c.currency,
    d.net_sales_amount + d.discount_amount as gross_sales_amount,
    d.discount_amount,
    d.net_sales_amount,
    d.tax_amount,
    d.service_charge_amount,
    d.tip_amount,
    d.rounding_amount,
    d.non_sales_amount,
    d.total_amount,
    c.external_version,
    c.external_updated_at,
    c.source,
    c.first_received_at
from documents as d
inner join {{ ref('stg_toast__checks') }} as c
    on c.configuration_id = d.configuration_id and c.check_id = d.check_id
