{{ config(severity='warn') }}

select transaction_id, tenant_id, external_id, net_sales_amount, residual_amount
from {{ ref('pos_transactions') }}
where status = 'completed' and residual_amount <> 0
