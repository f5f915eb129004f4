with lines as (
    select
        configuration_id, check_id,
        sum(gross_amount - net_amount) filter (where is_revenue) as discount_amount,
        sum(net_amount) filter (where is_non_sales and not is_modifier and not is_voided) as non_sales_amount,
        bool_or(tax_inclusion = 'INCLUDED') as has_included,
        bool_or(tax_inclusion = 'NOT_INCLUDED') as has_not_included
    from {{ ref('stg_toast__check_lines') }}
    group by configuration_id, check_id
),

charges as (
    select
        configuration_id, check_id,
        {%- for place in ['tip', 'rounding', 'non_sales', 'service_charge'] %}
        coalesce(sum(amount) filter (where place = '{{ place }}'), 0) as {{ place }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_toast__check_charges') }}
    group by configuration_id, check_id
),

tips as (
    select configuration_id, check_id, sum(tip_amount) as tip_amount
    from {{ ref('stg_toast__check_payments') }}
    where status <> 'voided' and is_denied is not true
    group by configuration_id, check_id
),

amounts as (
    select
        c.configuration_id, c.check_id,
        {{ major("c.check_payload", "amount") }} as amount,
        {{ major("c.check_payload", "taxAmount") }} as tax_amount,
        coalesce(l.discount_amount, 0) as discount_amount,
        coalesce(s.service_charge_amount, 0) as service_charge_amount,
        coalesce(s.rounding_amount, 0) as rounding_amount,
        coalesce(t.tip_amount, 0) + coalesce(s.tip_amount, 0) as tip_amount,
        coalesce(l.non_sales_amount, 0) + coalesce(s.non_sales_amount, 0) as non_sales_amount,
        case
            when coalesce(l.has_included, false) <> coalesce(l.has_not_included, false)
                then coalesce(l.has_included, false)
        end as prices_include_tax
    from {{ ref('stg_toast__checks') }} as c
    left join lines as l on l.configuration_id = c.configuration_id and l.check_id = c.check_id
    left join charges as s on s.configuration_id = c.configuration_id and s.check_id = c.check_id
    left join tips as t on t.configuration_id = c.configuration_id and t.check_id = c.check_id
)

select
    a.*,
    a.amount - a.service_charge_amount - a.rounding_amount - a.non_sales_amount as net_sales_amount,
    -- The vendor's totalAmount is only compared; the total is what its other figures add up to.
    a.amount + a.tax_amount + a.tip_amount as total_amount
from amounts as a
