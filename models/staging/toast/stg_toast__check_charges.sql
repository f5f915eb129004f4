select
    c.configuration_id, c.check_id,
    -- A gratuity is outside the amount of its check whatever its category; every other charge is inside.
    case
        when s.value -> 'gratuity' = 'true' then 'tip'
        when s.value ->> 'serviceChargeCategory' = 'CASH_ROUNDING' then 'rounding'
        when s.value ->> 'serviceChargeCategory' = 'FUNDRAISING_CAMPAIGN' then 'non_sales'
        else 'service_charge'
    end as place,
    coalesce({{ major("s.value", "chargeAmount") }}, 0) as amount,
    s.value #>> '{refundDetails,refundTransaction,guid}' as refund_id,
    coalesce({{ major("s.value", "refundDetails.refundAmount") }}, 0) as refund_amount,
    coalesce({{ major("s.value", "refundDetails.taxRefundAmount") }}, 0) as tax_refund_amount
from {{ ref('stg_toast__checks') }} as c
cross join lateral {{ elements("c.check_payload -> 'appliedServiceCharges'") }} as s (value)
