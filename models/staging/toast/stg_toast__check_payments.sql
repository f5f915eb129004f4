with payments as (
    select
        c.configuration_id, c.check_id, c.currency,
        p.value as payment, p.position,
        coalesce(nullif(p.value ->> 'guid', ''), '#' || p.position) as payment_id,
        p.value ->> 'type' as type,
        p.value ->> 'paymentStatus' as payment_status
    from {{ ref('stg_toast__checks') }} as c
    cross join lateral {{ elements("c.check_payload -> 'payments'") }} with ordinality as p (value, position)
)

select
    p.configuration_id, p.check_id,
    p.payment_id || case
        when row_number() over (
            partition by p.configuration_id, p.check_id, p.payment_id order by p.position
        ) > 1 then '#' || p.position
        else ''
    end as external_payment_id,
    case p.type
        when 'CASH' then 'cash'
        when 'CREDIT' then 'card'
        when 'GIFTCARD' then 'gift_card'
        else 'other'
    end as method,
    case
        when p.payment ? 'voidInfo' then 'voided'
        when p.payment_status in ('VOIDED', 'PROCESSING_VOID', 'VOIDED_AT_RISK', 'CANCELLED') then 'voided'
        when p.payment_status = 'CAPTURED' then 'captured'
        when p.payment_status in ('AUTHORIZED', 'AUTHORIZED_AT_RISK', 'CAPTURE_IN_PROGRESS') then 'authorized'
        when p.payment_status in ('DENIED', 'ERROR', 'ERROR_NETWORK') then 'failed'
        -- The status is told of cards; what is paid otherwise and has none has been paid.
        when p.payment_status is null and p.type <> 'CREDIT' then 'captured'
        else 'other'
    end as status,
    p.payment_status = 'DENIED' as is_denied,
    coalesce({{ major("p.payment", "amount") }}, 0) as amount,
    coalesce({{ major("p.payment", "tipAmount") }}, 0) as tip_amount,
    p.payment ->> 'cardType' as card_brand,
    p.payment ->> 'last4Digits' as card_last4,
    {{ instant("(p.payment ->> 'paidDate')") }} as paid_at,
    coalesce(nullif(p.payment #>> '{refund,refundTransaction,guid}', ''), p.payment_id) as refund_id,
    coalesce({{ major("p.payment", "refund.refundAmount") }}, 0) as refund_amount,
    coalesce({{ major("p.payment", "refund.tipRefundAmount") }}, 0) as tip_refund_amount,
    {{ instant("(p.payment #>> '{refund,refundDate}')") }} as refunded_at,
    (p.payment #>> '{refund,refundBusinessDate}')::date as refund_business_date,
    p.currency
from payments as p
