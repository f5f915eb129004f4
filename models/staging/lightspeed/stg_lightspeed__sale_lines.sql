{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'account_id']}],
    post_hook='analyze {{ this }}'
) }}

with lines as (
    select
        s.configuration_id, s.account_id, s.currency, s.has_tax_in_prices,
        l.position, l.value as line,
        {%- for name, key in [
            ('with_tax', 'totalNetAmountWithTax'), ('without_tax', 'totalNetAmountWithoutTax'),
            ('line_discount', 'discountAmount'), ('account_discount', 'accountDiscountAmount'),
            ('total_discount', 'totalDiscountAmount'), ('told_tax', 'taxAmount'), ('charge', 'serviceCharge')
        ] %}
        {{ decimal("(l.value ->> '" ~ key ~ "')") }} as {{ name }},
        {%- endfor %}
        coalesce({{ quantity("(l.value ->> 'quantity')") }}, 1) as quantity,
        taxes.amount as tax_lines,
        coalesce(taxes.has_included, false) as has_included,
        coalesce(taxes.has_added, false) as has_added
    from {{ ref('stg_lightspeed__sales') }} as s
    cross join lateral {{ elements("s.payload -> 'salesLines'") }} with ordinality as l (value, position)
    left join lateral (
        select
            sum({{ decimal("(t.value ->> 'taxAmount')") }}) as amount,
            bool_or(t.value ->> 'taxIncluded' = 'true') as has_included,
            bool_or(t.value ->> 'taxIncluded' = 'false') as has_added
        from {{ elements("l.value -> 'taxLines'") }} as t (value)
    ) as taxes on true
),

-- A line without a tax line, or with both kinds, goes by the other lines of its account, else by the country.
told as (
    select
        l.*,
        bool_or(l.has_included) over account as account_has_included,
        bool_or(l.has_added) over account as account_has_added,
        coalesce(l.tax_lines, l.told_tax, 0) as tax_amount,
        coalesce(l.charge, 0) as charge_amount,
        coalesce(l.total_discount, coalesce(l.line_discount, 0) + coalesce(l.account_discount, 0)) as discount_amount
    from lines as l
    window account as (partition by l.configuration_id, l.account_id)
),

inclusive as (
    select
        t.*,
        case
            when t.has_included <> t.has_added then t.has_included
            when t.account_has_included <> t.account_has_added then t.account_has_included
            else t.has_tax_in_prices
        end as is_inclusive
    from told as t
),

amounts as (
    select
        i.*,
        case
            when i.is_inclusive
                then coalesce(
                    i.with_tax - i.tax_amount - i.charge_amount, i.without_tax, -i.tax_amount - i.charge_amount
                )
            else coalesce(
                i.without_tax, i.with_tax - i.tax_amount - i.charge_amount, -i.tax_amount - i.charge_amount
            )
        end as net_amount
    from inclusive as i
),

named as (
    select
        a.*,
        coalesce(nullif(a.line ->> 'id', ''), '#' || a.position) as own_id,
        nullif(nullif(a.line ->> 'parentLineId', ''), a.line ->> 'id') as parent_id
    from amounts as a
)

select
    n.configuration_id, n.account_id,
    n.position as line_number,
    n.own_id || case
        when row_number() over (
            partition by n.configuration_id, n.account_id, n.own_id order by n.position
        ) > 1 then '#' || n.position
        else ''
    end as external_line_id,
    -- A parent that the document does not list has no row to point at. Looked for among the ids of the account alone:
    -- a look through all lines for each line would make the time grow quadratically.
    case when n.parent_id = any(array_agg(n.own_id) over account) then n.parent_id end as parent_external_line_id,
    case when n.parent_id is not null then 'modifier' else 'product' end as kind,
    nullif(n.line ->> 'sku', '') as sku,
    coalesce(nullif(btrim(n.line ->> 'nameOverride'), ''), nullif(n.line ->> 'name', '')) as name,
    nullif(n.line #>> '{accountingGroup,name}', '') as category,
    n.quantity,
    -- The listed price is a price of one piece in one of the vendor's pages and of the whole line in another.
    round(
        (n.net_amount + case when n.is_inclusive then n.tax_amount else 0 end + n.discount_amount)
        / nullif(n.quantity, 0),
        6
    ) as unit_price,
    n.net_amount, n.discount_amount, n.tax_amount, n.charge_amount,
    n.currency,
    btrim(coalesce(n.line ->> 'voidReason', '')) <> '' as is_voided,
    n.account_has_included, n.account_has_added
from named as n
window account as (partition by n.configuration_id, n.account_id)
