with refunds as (
    select distinct on (v.configuration_id, v.refund_id) v.*
    from {{ ref('stg_square__refund_versions') }} as v
    where v.reject_reason is null
    order by v.configuration_id, v.refund_id, {{ newest_first('v') }}
)

select
    r.configuration_id, r.external_order_id, r.refund_id,
    -- The order knows its refund by the part of the id that follows the payment's.
    case
        when starts_with(r.refund_id, (r.document ->> 'payment_id') || '_')
            then substr(r.refund_id, length(r.document ->> 'payment_id') + 2)
        else r.refund_id
    end as external_payment_id,
    r.document ->> 'payment_id' as refunded_payment_id,
    r.document ->> 'status' as status,
    r.document ->> 'destination_type' as destination_type,
    r.document #>> '{destination_details,card_details,card,card_brand}' as card_brand,
    r.document #>> '{destination_details,card_details,card,last_4}' as card_last4,
    {{ minor('r.document', 'amount_money') }} as amount_minor,
    {{ instant("(r.document ->> 'created_at')") }} as refunded_at
from refunds as r
