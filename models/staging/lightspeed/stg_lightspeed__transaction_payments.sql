select
    {{ row_id(row_id('p.configuration_id', 'p.account_id'), 'p.external_payment_id') }} as transaction_payment_id,
    {{ row_id('p.configuration_id', 'p.account_id') }} as transaction_id,
    s.tenant_id,
    p.configuration_id,
    p.external_payment_id, p.method, p.amount, p.tip_amount, p.status,
    null::text as card_brand, null::text as card_last4, p.paid_at, p.currency
from {{ ref('stg_lightspeed__sale_payments') }} as p
inner join {{ ref('stg_lightspeed__sales') }} as s
    on s.configuration_id = p.configuration_id and s.account_id = p.account_id
