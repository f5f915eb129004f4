with sold as (
    select
        l.configuration_id, l.check_id, l.check_id as external_id, l.line_number, l.external_line_id,
        l.parent_external_line_id, l.kind, l.external_product_id, l.sales_category_id, l.plu, l.name,
        l.quantity, l.unit, l.unit_price, l.gross_amount, l.net_amount, l.tax_amount, l.is_voided, l.is_revenue
    from {{ ref('stg_toast__check_lines') }} as l
),

-- Lines whose refund names a transaction of the check; their modifiers are inside what they give back.
returned as (
    select
        l.configuration_id, l.check_id, r.external_id,
        row_number() over (partition by r.configuration_id, r.external_id order by l.line_number) as line_number,
        'return:' || l.external_line_id as external_line_id,
        null::text as parent_external_line_id,
        l.kind, l.external_product_id, l.sales_category_id, l.plu, l.name,
        -l.quantity as quantity, l.unit, l.unit_price,
        -coalesce({{ major("l.refund_details", "refundAmount") }}, 0) as gross_amount,
        -coalesce({{ major("l.refund_details", "refundAmount") }}, 0) as net_amount,
        -coalesce({{ major("l.refund_details", "taxRefundAmount") }}, 0) as tax_amount,
        false as is_voided,
        not l.is_non_sales as is_revenue
    from {{ ref('stg_toast__check_lines') }} as l
    inner join {{ ref('stg_toast__refunds') }} as r
        on
            r.configuration_id = l.configuration_id and r.check_id = l.check_id
            and r.refund_id = l.refund_details #>> '{refundTransaction,guid}'
    where not l.is_modifier
),

unlisted as (
    select
        r.configuration_id, r.check_id, r.external_id,
        1 + coalesce(l.line_count, 0) as line_number,
        'amount' as external_line_id,
        null::text as parent_external_line_id,
        'custom_amount' as kind,
        null::text as external_product_id, null::text as sales_category_id, null::text as plu, null::text as name,
        -1::numeric as quantity, null::text as unit, -r.unlisted_amount as unit_price,
        r.unlisted_amount as gross_amount, r.unlisted_amount as net_amount, 0::numeric as tax_amount,
        false as is_voided, true as is_revenue
    from {{ ref('stg_toast__refunds') }} as r
    left join (
        select configuration_id, external_id, count(*) as line_count
        from returned
        group by configuration_id, external_id
    ) as l on l.configuration_id = r.configuration_id and l.external_id = r.external_id
    where r.unlisted_amount <> 0
),

lines as (
    select * from sold
    union all
    select * from returned
    union all
    select * from unlisted
)

select
    {{ row_id(row_id('l.configuration_id', 'l.external_id'), 'l.external_line_id') }} as transaction_item_id,
    {{ row_id('l.configuration_id', 'l.external_id') }} as transaction_id,
    c.tenant_id, l.configuration_id,
    l.line_number::integer as line_number, l.external_line_id, l.parent_external_line_id, l.kind,
    l.external_product_id,
    l.plu as sku,
    l.name,
    null::text as variation_name,
    s.name as category,
    l.quantity, l.unit, l.unit_price,
    l.gross_amount, l.gross_amount - l.net_amount as discount_amount, l.net_amount, l.tax_amount,
    l.net_amount + l.tax_amount as total_amount,
    c.currency,
    l.is_voided,
    l.is_revenue
from lines as l
inner join {{ ref('stg_toast__checks') }} as c
    on c.configuration_id = l.configuration_id and c.check_id = l.check_id
left join {{ ref('stg_toast__config_labels') }} as s
    on
        s.configuration_id = l.configuration_id
        and s.config_id = c.restaurant_id || '/salesCategories/' || l.sales_category_id
