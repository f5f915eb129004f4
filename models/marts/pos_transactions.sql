{{ config(
    indexes=[
        {'columns': ['configuration_id', 'external_id'], 'unique': true},
        {'columns': ['configuration_id', 'external_order_id']},
        {'columns': ['configuration_id', 'external_location_id']},
        {'columns': ['tenant_id', 'business_date', 'occurred_at', 'transaction_id']},
        {'columns': ['tenant_id', 'occurred_at', 'transaction_id']},
        {'columns': ['tenant_id', 'normalized_at', 'transaction_id']},
    ],
    meta={'batch_delete': batch_delete_by_key('external_order_id')}
) }}

with items as (
    select
        transaction_id,
        count(*) as item_count,
        coalesce(sum(net_amount) filter (where is_revenue), 0) as net_amount
    from {{ ref('int_transaction_items_unioned') }}
    group by transaction_id
),

payments as (
    select transaction_id, sum(amount + tip_amount) as paid_amount
    from {{ ref('int_transaction_payments_unioned') }}
    where status in ('captured', 'refunded')
    group by transaction_id
)

select
    t.transaction_id,
    t.tenant_id,
    t.configuration_id,
    t.pos_system::text as pos_system,
    t.external_id::text as external_id,
    t.external_order_id::text as external_order_id,
    t.external_location_id::text as external_location_id,
    t.parent_external_id::text as parent_external_id,
    t.parent_external_order_id::text as parent_external_order_id,
    t.kind::text as kind,
    t.status::text as status,
    t.is_revenue,
    t.prices_include_tax,
    t.opened_at,
    t.closed_at,
    t.occurred_at,
    t.business_date,
    t.timezone::text as timezone,
    t.currency::char(3) as currency,
    t.gross_sales_amount::numeric(20, 6) as gross_sales_amount,
    t.discount_amount::numeric(20, 6) as discount_amount,
    t.net_sales_amount::numeric(20, 6) as net_sales_amount,
    t.tax_amount::numeric(20, 6) as tax_amount,
    t.service_charge_amount::numeric(20, 6) as service_charge_amount,
    t.tip_amount::numeric(20, 6) as tip_amount,
    t.rounding_amount::numeric(20, 6) as rounding_amount,
    t.non_sales_amount::numeric(20, 6) as non_sales_amount,
    t.total_amount::numeric(20, 6) as total_amount,
    (t.net_sales_amount - coalesce(i.net_amount, 0))::numeric(20, 6) as residual_amount,
    coalesce(p.paid_amount, 0)::numeric(20, 6) as paid_amount,
    coalesce(i.item_count, 0)::integer as item_count,
    t.external_version::bigint as external_version,
    t.external_updated_at,
    t.source::text as source,
    t.first_received_at,
    now() as normalized_at
from {{ ref('int_transactions_unioned') }} as t
left join items as i on i.transaction_id = t.transaction_id
left join payments as p on p.transaction_id = t.transaction_id
