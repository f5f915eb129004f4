select
    {{ row_id(row_id('l.configuration_id', 'l.account_id'), 'l.external_line_id') }} as transaction_item_id,
    {{ row_id('l.configuration_id', 'l.account_id') }} as transaction_id,
    s.tenant_id,
    l.configuration_id,
    l.line_number::integer as line_number,
    l.external_line_id,
    l.parent_external_line_id,
    l.kind,
    l.sku as external_product_id,
    l.sku,
    l.name,
    null::text as variation_name,
    l.category,
    l.quantity,
    null::text as unit,
    l.unit_price,
    l.net_amount + l.discount_amount as gross_amount,
    l.discount_amount,
    l.net_amount,
    l.tax_amount,
    l.net_amount + l.tax_amount as total_amount,
    l.currency,
    l.is_voided,
    true as is_revenue
from {{ ref('stg_lightspeed__sale_lines') }} as l
inner join {{ ref('stg_lightspeed__sales') }} as s
    on s.configuration_id = l.configuration_id and s.account_id = l.account_id
