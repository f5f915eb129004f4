{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'check_id']}],
    post_hook='analyze {{ this }}'
) }}

-- Every line followed by its modifiers, each of them by its own, in the vendor's order.
with recursive nodes as (
    select
        c.configuration_id, c.check_id, c.currency,
        array[s.position] as place,
        s.value as node,
        coalesce(s.value -> 'voided' = 'true', false) as is_voided
    from {{ ref('stg_toast__checks') }} as c
    cross join lateral {{ elements("c.check_payload -> 'selections'") }} with ordinality as s (value, position)

    union all

    select
        n.configuration_id, n.check_id, n.currency, n.place || m.position, m.value,
        n.is_voided or coalesce(m.value -> 'voided' = 'true', false)
    from nodes as n
    cross join lateral {{ elements("n.node -> 'modifiers'") }} with ordinality as m (value, position)
),

numbered as (
    select n.*, row_number() over (partition by n.configuration_id, n.check_id order by n.place) as line_number
    from nodes as n
),

-- Ids are the vendor's; it may leave them out, and nothing but its word keeps them from repeating.
identified as (
    select
        n.*,
        case
            when nullif(n.node ->> 'guid', '') is null then '#' || n.line_number
            when row_number() over (
                partition by n.configuration_id, n.check_id, n.node ->> 'guid' order by n.line_number
            ) > 1 then (n.node ->> 'guid') || '#' || n.line_number
            else n.node ->> 'guid'
        end as external_line_id
    from numbered as n
),

classified as (
    select
        i.*,
        cardinality(i.place) > 1 as is_modifier,
        i.place[1:cardinality(i.place) - 1] as parent_place,
        coalesce(i.node ->> 'selectionType', 'NONE') as selection_type,
        coalesce(i.node -> 'deferred' = 'true', false)
        or coalesce(i.node ->> 'selectionType', 'NONE')
        in ('TOAST_CARD_SELL', 'TOAST_CARD_RELOAD', 'HOUSE_ACCOUNT_PAY_BALANCE') as is_non_sales
    from identified as i
)

select
    l.configuration_id, l.check_id, l.line_number, l.external_line_id,
    p.external_line_id as parent_external_line_id,
    l.is_modifier, l.is_voided, l.is_non_sales,
    not l.is_modifier and not l.is_voided and not l.is_non_sales as is_revenue,
    case
        when l.is_modifier then 'modifier'
        when l.selection_type in ('TOAST_CARD_SELL', 'TOAST_CARD_RELOAD') then 'gift_card'
        when l.is_non_sales then 'other'
        when l.selection_type = 'OPEN_ITEM' then 'custom_amount'
        when l.selection_type in ('NONE', 'PORTION') then 'product'
        else 'other'
    end as kind,
    l.node #>> '{item,guid}' as external_product_id,
    l.node #>> '{salesCategory,guid}' as sales_category_id,
    l.node ->> 'plu' as plu,
    l.node ->> 'displayName' as name,
    coalesce({{ quantity("(l.node ->> 'quantity')") }}, 1) as quantity,
    nullif(l.node ->> 'unitOfMeasure', 'NONE') as unit,
    case
        when l.is_modifier then coalesce({{ major("l.node", "receiptLinePrice") }}, {{ major("l.node", "price") }})
        else {{ major("l.node", "receiptLinePrice") }}
    end as unit_price,
    case
        when l.is_modifier then 0
        else coalesce({{ major("l.node", "preDiscountPrice") }}, {{ major("l.node", "price") }}, 0)
    end as gross_amount,
    case when l.is_modifier then 0 else coalesce({{ major("l.node", "price") }}, 0) end as net_amount,
    case when l.is_modifier then 0 else coalesce({{ major("l.node", "tax") }}, 0) end as tax_amount,
    case when not l.is_modifier then l.node ->> 'taxInclusion' end as tax_inclusion,
    l.currency,
    l.node -> 'refundDetails' as refund_details
from classified as l
left join classified as p
    on
        p.configuration_id = l.configuration_id and p.check_id = l.check_id and p.place = l.parent_place
