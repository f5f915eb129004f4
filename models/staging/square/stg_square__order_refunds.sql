with orders as (
    select * from {{ ref('stg_square__orders') }} where kind in ('return', 'exchange')
),

listed as (
    select
        o.configuration_id, o.external_id, o.minor_unit, o.currency,
        r.value ->> 'tender_id' as refunded_payment_id,
        r.value ->> 'status' as status,
        {{ minor('r.value', 'amount_money') }} as amount_minor,
        {{ instant("(r.value ->> 'created_at')") }} as refunded_at,
        coalesce(
            case
                when starts_with(r.value ->> 'id', r.value ->> 'tender_id' || '_')
                    then substr(r.value ->> 'id', length(r.value ->> 'tender_id') + 2)
                else nullif(r.value ->> 'id', '')
            end,
            '#' || r.position
        ) as external_payment_id,
        r.position
    from orders as o
    cross join lateral {{ elements("o.payload -> 'refunds'") }} with ordinality as r (value, position)
),

unique_listed as (
    select distinct on (l.configuration_id, l.external_id, l.external_payment_id) l.*
    from listed as l
    order by l.configuration_id, l.external_id, l.external_payment_id, l.position
),

streamed as (
    select o.configuration_id, o.external_id, o.minor_unit, o.currency, r.*
    from orders as o
    inner join (
        select
            configuration_id as refund_configuration_id, external_order_id, external_payment_id, refunded_payment_id,
            status, destination_type, card_brand, card_last4, amount_minor, refunded_at,
            row_number() over (
                partition by configuration_id, external_order_id, external_payment_id order by refund_id
            ) as copy_number
        from {{ ref('stg_square__refunds') }}
    ) as r
        on r.refund_configuration_id = o.configuration_id and r.external_order_id = o.external_id
    where r.copy_number = 1
),

tips as (
    select
        o.configuration_id, o.external_id,
        t.value ->> 'source_tender_id' as refunded_payment_id,
        sum({{ minor('t.value', 'applied_money') }}) as tip_minor
    from orders as o
    cross join lateral {{ elements("o.payload -> 'returns'") }} as r (value)
    cross join lateral {{ elements("r.value -> 'return_tips'") }} as t (value)
    group by o.configuration_id, o.external_id, t.value ->> 'source_tender_id'
),

refunds as (
    select
        configuration_id, external_id, external_payment_id,
        coalesce(s.refunded_payment_id, l.refunded_payment_id) as refunded_payment_id,
        -- The refund's own document is read after the order was written: its word on state and amount is the newer one.
        coalesce(s.status, l.status) as status,
        coalesce(s.amount_minor, l.amount_minor, 0) as amount_minor,
        coalesce(s.refunded_at, l.refunded_at) as refunded_at,
        s.destination_type, s.card_brand, s.card_last4,
        coalesce(s.minor_unit, l.minor_unit) as minor_unit,
        coalesce(s.currency, l.currency) as currency
    from unique_listed as l
    full join streamed as s using (configuration_id, external_id, external_payment_id)
)

select
    r.configuration_id, r.external_id, r.external_payment_id,
    case
        when r.destination_type = 'CARD' then 'card'
        when r.destination_type = 'CASH' then 'cash'
        when r.destination_type in ('SQUARE_GIFT_CARD', 'GIFT_CARD') then 'gift_card'
        else 'other'
    end as method,
    case
        when r.status in ('APPROVED', 'COMPLETED') then 'refunded'
        when r.status in ('REJECTED', 'FAILED') then 'failed'
        else 'other'
    end as status,
    -(r.amount_minor - coalesce(t.tip_minor, 0)) * r.minor_unit as amount,
    -coalesce(t.tip_minor, 0) * r.minor_unit as tip_amount,
    r.card_brand, r.card_last4,
    r.refunded_at,
    r.currency
from (
    -- A returned tip is known by the tender it was on: of several refunds to one tender, the first gave it back.
    select
        refunds.*,
        row_number() over (
            partition by configuration_id, external_id, refunded_payment_id
            order by refunded_at nulls last, external_payment_id
        ) as refund_number
    from refunds
) as r
left join tips as t
    on
        t.configuration_id = r.configuration_id and t.external_id = r.external_id
        and t.refunded_payment_id = r.refunded_payment_id and r.refund_number = 1
