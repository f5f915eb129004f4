with payments as (
    select
        configuration_id, external_id, external_payment_id, method, amount, tip_amount, status,
        card_brand, card_last4, paid_at, currency
    from {{ ref('stg_square__order_tenders') }}

    union all

    select
        r.configuration_id, r.external_id,
        -- A refund that has the id of a tender of the same order gets one of its own.
        r.external_payment_id || case
            when exists (
                select 1 from {{ ref('stg_square__order_tenders') }} as t
                where
                    t.configuration_id = r.configuration_id and t.external_id = r.external_id
                    and t.external_payment_id = r.external_payment_id
            ) then ':refund'
            else ''
        end,
        r.method, r.amount, r.tip_amount, r.status, r.card_brand, r.card_last4, r.refunded_at, r.currency
    from {{ ref('stg_square__order_refunds') }} as r
)

select
    {{ row_id(row_id('p.configuration_id', 'p.external_id'), 'p.external_payment_id') }} as transaction_payment_id,
    {{ row_id('p.configuration_id', 'p.external_id') }} as transaction_id,
    o.tenant_id,
    p.configuration_id,
    p.external_payment_id, p.method, p.amount, p.tip_amount, p.status,
    p.card_brand, p.card_last4, p.paid_at, p.currency
from payments as p
inner join {{ ref('stg_square__orders') }} as o
    on o.configuration_id = p.configuration_id and o.external_id = p.external_id
