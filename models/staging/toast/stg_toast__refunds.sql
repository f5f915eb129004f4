-- One refund transaction gives back several payments of a check at once; where none is named each payment is one.
with refunds as (
    select
        configuration_id, check_id, refund_id,
        sum(refund_amount) as refund_amount,
        sum(tip_refund_amount) as tip_refund_amount,
        min(refunded_at) as refunded_at,
        min(refund_business_date) as refund_business_date
    from {{ ref('stg_toast__check_payments') }}
    where refund_amount <> 0 or tip_refund_amount <> 0
    group by configuration_id, check_id, refund_id
),

lines as (
    select
        configuration_id, check_id, refund_details #>> '{refundTransaction,guid}' as refund_id,
        sum(coalesce({{ major("refund_details", "refundAmount") }}, 0)) filter (where not is_non_sales) as net_amount,
        sum(coalesce({{ major("refund_details", "refundAmount") }}, 0)) filter (where is_non_sales) as non_sales_amount,
        sum(coalesce({{ major("refund_details", "taxRefundAmount") }}, 0)) as tax_amount
    from {{ ref('stg_toast__check_lines') }}
    where not is_modifier and refund_details is not null
    group by configuration_id, check_id, refund_details #>> '{refundTransaction,guid}'
),

charges as (
    select
        configuration_id, check_id, refund_id,
        {%- for place in ['tip', 'rounding', 'non_sales', 'service_charge'] %}
        coalesce(sum(refund_amount) filter (where place = '{{ place }}'), 0) as {{ place }}_amount,
        {%- endfor %}
        sum(tax_refund_amount) as tax_amount
    from {{ ref('stg_toast__check_charges') }}
    where refund_id is not null
    group by configuration_id, check_id, refund_id
),

amounts as (
    select
        r.configuration_id, r.check_id, r.refund_id, r.refunded_at, r.refund_business_date,
        r.refund_amount + r.tip_refund_amount as total_amount,
        r.tip_refund_amount + coalesce(s.tip_amount, 0) as tip_amount,
        coalesce(l.tax_amount, 0) + coalesce(s.tax_amount, 0) as tax_amount,
        coalesce(s.service_charge_amount, 0) as service_charge_amount,
        coalesce(s.rounding_amount, 0) as rounding_amount,
        coalesce(l.non_sales_amount, 0) + coalesce(s.non_sales_amount, 0) as non_sales_amount,
        coalesce(l.net_amount, 0) as line_amount
    from refunds as r
    left join lines as l
        on l.configuration_id = r.configuration_id and l.check_id = r.check_id and l.refund_id = r.refund_id
    left join charges as s
        on s.configuration_id = r.configuration_id and s.check_id = r.check_id and s.refund_id = r.refund_id
)

select
    a.configuration_id, a.check_id, a.refund_id,
    a.check_id || ':refund:' || a.refund_id as external_id,
    a.refunded_at, a.refund_business_date,
    {%- for name in ['total', 'tip', 'tax', 'service_charge', 'rounding', 'non_sales'] %}
    -a.{{ name }}_amount as {{ name }}_amount,
    {%- endfor %}
    -(a.total_amount - a.tip_amount - a.tax_amount - a.service_charge_amount - a.rounding_amount - a.non_sales_amount)
        as net_sales_amount,
    -- What goes back without any line of the vendor's.
    -(
        a.total_amount - a.tip_amount - a.tax_amount - a.service_charge_amount - a.rounding_amount - a.non_sales_amount
        - a.line_amount
    ) as unlisted_amount
from amounts as a
