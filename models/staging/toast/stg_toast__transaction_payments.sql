with payments as (
    select
        configuration_id, check_id, check_id as external_id, external_payment_id, method, amount, tip_amount, status,
        card_brand, card_last4, paid_at, currency
    from {{ ref('stg_toast__check_payments') }}

    union all

    select
        configuration_id, check_id, check_id || ':refund:' || refund_id, external_payment_id, method,
        -refund_amount, -tip_refund_amount, 'refunded', card_brand, card_last4, refunded_at, currency
    from {{ ref('stg_toast__check_payments') }}
    where refund_amount <> 0 or tip_refund_amount <> 0
)

select
    {{ row_id(row_id('p.configuration_id', 'p.external_id'), 'p.external_payment_id') }} as transaction_payment_id,
    {{ row_id('p.configuration_id', 'p.external_id') }} as transaction_id,
    c.tenant_id,
    p.configuration_id,
    p.external_payment_id, p.method, p.amount, p.tip_amount, p.status,
    p.card_brand, p.card_last4, p.paid_at, p.currency
from payments as p
inner join {{ ref('stg_toast__checks') }} as c
    on c.configuration_id = p.configuration_id and c.check_id = p.check_id
