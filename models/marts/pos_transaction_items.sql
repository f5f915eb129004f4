{{ config(
    indexes=[{'columns': ['transaction_id']}],
    meta={'batch_delete': batch_delete_by_transaction()}
) }}

-- The header comes first: the foreign key needs it. depends_on: {{ ref('pos_transactions') }}
select
    transaction_item_id,
    transaction_id,
    tenant_id,
    configuration_id,
    line_number::integer as line_number,
    external_line_id::text as external_line_id,
    parent_external_line_id::text as parent_external_line_id,
    kind::text as kind,
    external_product_id::text as external_product_id,
    sku::text as sku,
    name::text as name,
    variation_name::text as variation_name,
    category::text as category,
    quantity::numeric(18, 6) as quantity,
    unit::text as unit,
    unit_price::numeric(20, 6) as unit_price,
    gross_amount::numeric(20, 6) as gross_amount,
    discount_amount::numeric(20, 6) as discount_amount,
    net_amount::numeric(20, 6) as net_amount,
    tax_amount::numeric(20, 6) as tax_amount,
    total_amount::numeric(20, 6) as total_amount,
    currency::char(3) as currency,
    is_voided,
    is_revenue
from {{ ref('int_transaction_items_unioned') }}
