with uses as (
    select distinct configuration_id, external_product_id as variation_id, catalog_version
    from {{ ref('stg_square__order_lines') }}
    where external_product_id is not null and kind <> 'modifier'
),

choices as (
    {{ catalogue_choices('uses', ref('stg_square__catalog_objects')) }}
),

-- What a return gives back without any line: one line of the whole amount. A return of tip alone has none.
amounts_returned as (
    select o.configuration_id, o.external_id, o.tenant_id, o.currency, a.net_sales_amount
    from {{ ref('stg_square__orders') }} as o
    inner join {{ ref('stg_square__order_amounts') }} as a
        on a.configuration_id = o.configuration_id and a.external_id = o.external_id
    where
        o.kind = 'return' and a.net_sales_amount <> 0
        and not o.payload @? '$.returns[*].return_line_items[*]'
),

lines as (
    select
        l.configuration_id, l.external_order_id, o.tenant_id, l.line_number, l.external_line_id, l.parent_external_line_id,
        l.kind, l.external_product_id, c.sku, l.name, l.variation_name, c.category,
        l.quantity, l.unit, l.unit_price, l.gross_amount, l.discount_amount, l.net_amount, l.tax_amount,
        l.currency, l.is_revenue
    from {{ ref('stg_square__order_lines') }} as l
    inner join {{ ref('stg_square__orders') }} as o
        on o.configuration_id = l.configuration_id and o.external_id = l.external_order_id
    left join choices as c
        on
            c.configuration_id = l.configuration_id and c.variation_id = l.external_product_id
            and c.catalog_version is not distinct from l.catalog_version and l.kind <> 'modifier'

    union all

    select
        configuration_id, external_id, tenant_id, 1, 'amount', null,
        'custom_amount', null, null, null, null, null,
        -1, null, -net_sales_amount, net_sales_amount, 0, net_sales_amount, 0,
        currency, true
    from amounts_returned
)

select
    {{ row_id(row_id('configuration_id', 'external_order_id'), 'external_line_id') }} as transaction_item_id,
    {{ row_id('configuration_id', 'external_order_id') }} as transaction_id,
    tenant_id, configuration_id,
    line_number::integer as line_number, external_line_id, parent_external_line_id, kind, external_product_id,
    sku, name, variation_name, category, quantity, unit, unit_price, gross_amount, discount_amount, net_amount, tax_amount,
    net_amount + tax_amount as total_amount,
    currency,
    false as is_voided,
    is_revenue
from lines
