{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'external_order_id']}],
    post_hook='analyze {{ this }}'
) }}

with lines as (
    select o.configuration_id, o.external_id, o.currency, o.minor_unit, l.side, l.position, l.line
    from {{ ref('stg_square__orders') }} as o
    cross join lateral (
        select 1 as side, s.position, s.value as line
        from {{ elements("o.payload -> 'line_items'") }} with ordinality as s (value, position)
        union all
        select -1, row_number() over (order by r.position, s.position), s.value
        from {{ elements("o.payload -> 'returns'") }} with ordinality as r (value, position)
        cross join lateral {{ elements("r.value -> 'return_line_items'") }} with ordinality as s (value, position)
    ) as l
),

-- Every line followed by its modifiers, in the vendor's order.
nodes as (
    select l.*, 0 as modifier_position, l.line as node from lines as l
    union all
    select l.*, m.position, m.value
    from lines as l
    cross join lateral {{ elements("l.line -> case l.side when 1 then 'modifiers' else 'return_modifiers' end") }}
        with ordinality as m (value, position)
),

numbered as (
    select
        n.*,
        row_number() over (
            partition by n.configuration_id, n.external_id order by n.side desc, n.position, n.modifier_position
        ) as line_number
    from nodes as n
),

named as (
    select
        n.*,
        coalesce(nullif(n.node ->> 'uid', ''), '#' || n.line_number) as uid
    from numbered as n
),

-- Ids are the vendor's; the vendor has been seen to leave them out, and nothing but its word keeps them from repeating.
own_lines as (
    select
        n.*,
        case n.side when 1 then '' else 'return:' end || n.uid
        || case
            when row_number() over (
                partition by n.configuration_id, n.external_id, n.side, n.modifier_position > 0, n.uid
                order by n.line_number
            ) > 1 and n.modifier_position = 0 then '#' || n.line_number
            else ''
        end as own_id
    from named as n
),

identified as (
    select
        n.*,
        first_value(n.own_id) over (
            partition by n.configuration_id, n.external_id, n.side, n.position order by n.modifier_position
        ) as line_id
    from own_lines as n
),

composed as (
    select
        n.*,
        case when n.modifier_position = 0 then n.line_id else n.line_id || '/' || n.uid end as composed_id
    from identified as n
),

amounts as (
    select
        n.*,
        n.modifier_position > 0 as is_modifier,
        coalesce({{ minor('n.node', 'total_money') }}, 0) as total_minor,
        coalesce({{ minor('n.node', 'total_tax_money') }}, 0) as tax_minor,
        coalesce({{ minor('n.node', 'total_discount_money') }}, 0) as discount_minor,
        coalesce({{ minor('n.node', 'total_service_charge_money') }}, 0)
        + coalesce({{ minor('n.node', 'total_card_surcharge_money') }}, 0) as charge_minor,
        {{ minor('n.node', 'base_price_money') }} as price_minor
    from composed as n
)

select
    a.configuration_id,
    a.external_id as external_order_id,
    a.line_number,
    a.composed_id || case
        when row_number() over (
            partition by a.configuration_id, a.external_id, a.composed_id order by a.is_modifier, a.line_number
        ) > 1 then '#' || a.line_number
        else ''
    end as external_line_id,
    case when a.is_modifier then a.line_id end as parent_external_line_id,
    case
        when a.is_modifier then 'modifier'
        when coalesce(a.node ->> 'item_type', 'ITEM') = 'ITEM' then 'product'
        when a.node ->> 'item_type' = 'CUSTOM_AMOUNT' then 'custom_amount'
        when a.node ->> 'item_type' = 'GIFT_CARD' then 'gift_card'
        else 'other'
    end as kind,
    a.node ->> 'catalog_object_id' as external_product_id,
    {{ whole_number("(a.node -> 'catalog_version')") }} as catalog_version,
    a.node ->> 'name' as name,
    a.node ->> 'variation_name' as variation_name,
    a.side * coalesce({{ quantity("(a.node ->> 'quantity')") }}, 1) as quantity,
    coalesce(
        a.node #>> '{quantity_unit,measurement_unit,custom_unit,abbreviation}',
        a.node #>> '{quantity_unit,measurement_unit,custom_unit,name}',
        a.node #>> '{quantity_unit,measurement_unit,weight_unit}',
        a.node #>> '{quantity_unit,measurement_unit,volume_unit}',
        a.node #>> '{quantity_unit,measurement_unit,length_unit}',
        a.node #>> '{quantity_unit,measurement_unit,area_unit}',
        a.node #>> '{quantity_unit,measurement_unit,time_unit}',
        a.node #>> '{quantity_unit,measurement_unit,generic_unit}'
    ) as unit,
    a.price_minor * a.minor_unit as unit_price,
    case
        when a.is_modifier then 0
        else a.side * (a.total_minor - a.tax_minor - a.charge_minor + a.discount_minor) * a.minor_unit
    end as gross_amount,
    case when a.is_modifier then 0 else a.side * a.discount_minor * a.minor_unit end as discount_amount,
    case
        when a.is_modifier then 0
        else a.side * (a.total_minor - a.tax_minor - a.charge_minor) * a.minor_unit
    end as net_amount,
    case when a.is_modifier then 0 else a.side * a.tax_minor * a.minor_unit end as tax_amount,
    a.currency,
    not a.is_modifier and coalesce(a.node ->> 'item_type', 'ITEM') <> 'GIFT_CARD' as is_revenue
from amounts as a
