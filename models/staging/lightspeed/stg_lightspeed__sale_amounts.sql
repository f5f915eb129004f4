with lines as (
    select
        configuration_id, account_id,
        sum(net_amount) as net_amount, sum(discount_amount) as discount_amount, sum(tax_amount) as tax_amount,
        sum(charge_amount) as charge_amount,
        bool_or(account_has_included) as has_included, bool_or(account_has_added) as has_added
    from {{ ref('stg_lightspeed__sale_lines') }}
    group by configuration_id, account_id
),

payments as (
    select
        configuration_id, account_id,
        sum(tip_amount) as tip_amount, sum(surcharge_amount) as surcharge_amount,
        sum(rounding_amount) as rounding_amount
    from {{ ref('stg_lightspeed__sale_payments') }}
    group by configuration_id, account_id
),

amounts as (
    select
        s.configuration_id, s.account_id,
        coalesce(l.net_amount, 0) as net_sales_amount,
        coalesce(l.discount_amount, 0) as discount_amount,
        coalesce(l.tax_amount, 0) as tax_amount,
        coalesce(l.charge_amount, 0) + coalesce(p.surcharge_amount, 0) as service_charge_amount,
        coalesce(p.tip_amount, 0) as tip_amount,
        coalesce(p.rounding_amount, 0) as rounding_amount,
        0::numeric as non_sales_amount,
        case when l.has_included <> l.has_added then l.has_included end as prices_include_tax
    from {{ ref('stg_lightspeed__sales') }} as s
    left join lines as l on l.configuration_id = s.configuration_id and l.account_id = s.account_id
    left join payments as p on p.configuration_id = s.configuration_id and p.account_id = s.account_id
)

select
    a.*,
    a.net_sales_amount + a.tax_amount + a.service_charge_amount + a.tip_amount + a.rounding_amount
    + a.non_sales_amount as total_amount
from amounts as a
