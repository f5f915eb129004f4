select transaction_id, tenant_id, external_id, total_amount
from {{ ref('pos_transactions') }}
where
    total_amount <> net_sales_amount + tax_amount + service_charge_amount + tip_amount + rounding_amount + non_sales_amount
    or gross_sales_amount <> net_sales_amount + discount_amount
