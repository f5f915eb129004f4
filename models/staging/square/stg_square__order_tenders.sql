with tenders as (
    select
        o.configuration_id, o.external_id, o.state, o.currency, o.minor_unit,
        t.value as tender, t.position,
        coalesce(nullif(t.value ->> 'payment_id', ''), nullif(t.value ->> 'id', ''), '#' || t.position) as tender_id,
        t.value ->> 'type' as type,
        t.value #>> '{card_details,status}' as card_status
    from {{ ref('stg_square__orders') }} as o
    cross join lateral {{ elements("o.payload -> 'tenders'") }} with ordinality as t (value, position)
)

select
    t.configuration_id, t.external_id,
    t.tender_id || case
        when row_number() over (
            partition by t.configuration_id, t.external_id, t.tender_id order by t.position
        ) > 1 then '#' || t.position
        else ''
    end as external_payment_id,
    case t.type
        when 'CARD' then 'card'
        when 'CASH' then 'cash'
        when 'SQUARE_GIFT_CARD' then 'gift_card'
        else 'other'
    end as method,
    t.type <> 'NO_SALE' as is_payment,
    case
        when t.card_status = 'CAPTURED' then 'captured'
        when t.card_status = 'AUTHORIZED' then 'authorized'
        when t.card_status = 'VOIDED' then 'voided'
        when t.card_status = 'FAILED' then 'failed'
        when t.card_status is not null then 'other'
        when t.state = 'completed' then 'captured'
        when t.state = 'canceled' then 'voided'
        when t.state = 'open' and t.type = 'CASH' then 'captured'
        else 'other'
    end as status,
    (
        coalesce({{ minor('t.tender', 'amount_money') }}, 0) - coalesce({{ minor('t.tender', 'tip_money') }}, 0)
    ) * t.minor_unit as amount,
    coalesce({{ minor('t.tender', 'tip_money') }}, 0) * t.minor_unit as tip_amount,
    t.tender #>> '{card_details,card,card_brand}' as card_brand,
    t.tender #>> '{card_details,card,last_4}' as card_last4,
    {{ instant("(t.tender ->> 'created_at')") }} as paid_at,
    t.currency
from tenders as t
