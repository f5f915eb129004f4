with documents as (
    select
        o.configuration_id, o.external_id, o.kind, o.payload, o.minor_unit,
        {%- for amounts in ['total', 'tax', 'discount', 'tip', 'service_charge', 'card_surcharge'] %}
        coalesce(
            {{ minor('o.payload', 'return_amounts.' ~ amounts ~ '_money') }}, returned.{{ amounts }}
        ) as returned_{{ amounts }},
        {%- endfor %}
        coalesce(returned.rounding, 0) as returned_rounding,
        coalesce(sold_charges.gratuity, 0) as sold_gratuity,
        coalesce(sold_charges.charge, {{ minor('o.payload', 'total_service_charge_money') }}, 0) as sold_charge,
        coalesce(returned_charges.gratuity, 0) as returned_gratuity,
        returned_charges.charge as returned_charge,
        coalesce(sold_gifts.net, 0) - coalesce(returned_gifts.net, 0) as gifts
    from {{ ref('stg_square__orders') }} as o
    left join lateral (
        select
            {%- for amounts in ['total', 'tax', 'discount', 'tip', 'service_charge', 'card_surcharge'] %}
            sum({{ minor('r.value', 'return_amounts.' ~ amounts ~ '_money') }}) as {{ amounts }},
            {%- endfor %}
            sum({{ minor('r.value', 'rounding_adjustment.amount_money') }}) as rounding
        from {{ elements("o.payload -> 'returns'") }} as r (value)
    ) as returned on true
    left join lateral (
        select
            sum(c.net) filter (where c.is_gratuity) as gratuity,
            sum(case when c.is_gratuity then 0 else c.net end) as charge
        from (
            select
                coalesce(s.value ->> 'type' = 'AUTO_GRATUITY', false) as is_gratuity,
                {{ minor('s.value', 'total_money') }} - coalesce({{ minor('s.value', 'total_tax_money') }}, 0) as net
            from {{ elements("o.payload -> 'service_charges'") }} as s (value)
        ) as c
    ) as sold_charges on true
    left join lateral (
        select
            sum(c.net) filter (where c.is_gratuity) as gratuity,
            sum(case when c.is_gratuity then 0 else c.net end) as charge
        from (
            select
                coalesce(coalesce(s.value ->> 'type', t.charge_type) = 'AUTO_GRATUITY', false) as is_gratuity,
                {{ minor('s.value', 'total_money') }} - coalesce({{ minor('s.value', 'total_tax_money') }}, 0) as net
            from {{ elements("o.payload -> 'returns'") }} as r (value)
            cross join lateral {{ elements("r.value -> 'return_service_charges'") }} as s (value)
            left join {{ ref('stg_square__source_charges') }} as t
                on
                    t.configuration_id = o.configuration_id and t.external_id = o.external_id
                    and t.source_order_id = r.value ->> 'source_order_id'
                    and t.charge_uid = s.value ->> 'source_service_charge_uid'
        ) as c
    ) as returned_charges on true
    {%- for name, lines in [('sold_gifts', "o.payload -> 'line_items'"), ('returned_gifts', "r.value -> 'return_line_items'")] %}
    left join lateral (
        select
            sum(
                {{ minor('g.value', 'total_money') }}
                - coalesce({{ minor('g.value', 'total_tax_money') }}, 0)
                - coalesce({{ minor('g.value', 'total_service_charge_money') }}, 0)
                - coalesce({{ minor('g.value', 'total_card_surcharge_money') }}, 0)
            ) as net
        {%- if name == 'sold_gifts' %}
        from {{ elements(lines) }} as g (value)
        {%- else %}
        from {{ elements("o.payload -> 'returns'") }} as r (value)
        cross join lateral {{ elements(lines) }} as g (value)
        {%- endif %}
        where g.value ->> 'item_type' = 'GIFT_CARD'
    ) as {{ name }} on true
    {%- endfor %}
),

minors as (
    select
        m.*,
        {%- for amounts, sold, minor_name in [
            ('total', 'total_money', 'total_minor'), ('tax', 'total_tax_money', 'tax_minor'),
            ('discount', 'total_discount_money', 'discount_minor'), ('tip', 'total_tip_money', 'tip_minor'),
            ('card_surcharge', 'total_card_surcharge_money', 'surcharge_minor'),
        ] %}
        -- Of a sale as stated, of a return what its return amounts say, negated, of an exchange the net.
        case m.kind
            when 'return' then -coalesce(m.returned_{{ amounts }}, 0)
            when 'exchange' then coalesce(
                {{ minor('m.payload', 'net_amounts.' ~ amounts ~ '_money') }},
                coalesce({{ minor('m.payload', sold) }}, 0) - coalesce(m.returned_{{ amounts }}, 0)
            )
            else coalesce(
                {{ minor('m.payload', sold) }}, {{ minor('m.payload', 'net_amounts.' ~ amounts ~ '_money') }}, 0
            )
        end as {{ minor_name }},
        {%- endfor %}
        case when m.kind = 'return' then 0 else m.sold_gratuity end - m.returned_gratuity as gratuity_minor,
        case when m.kind = 'return' then 0 else m.sold_charge end
        - coalesce(m.returned_charge, m.returned_service_charge, 0) as charge_minor,
        case
            when m.kind = 'return' then 0
            else coalesce({{ minor('m.payload', 'rounding_adjustment.amount_money') }}, 0)
        end - m.returned_rounding as rounding_minor
    from documents as m
),

amounts as (
    select
        configuration_id, external_id,
        total_minor * minor_unit as total_amount,
        tax_minor * minor_unit as tax_amount,
        discount_minor * minor_unit as discount_amount,
        (tip_minor + gratuity_minor) * minor_unit as tip_amount,
        (charge_minor + surcharge_minor) * minor_unit as service_charge_amount,
        rounding_minor * minor_unit as rounding_amount,
        gifts * minor_unit as non_sales_amount
    from minors
)

select
    a.*,
    a.total_amount - a.tax_amount - a.service_charge_amount - a.tip_amount - a.rounding_amount
    - a.non_sales_amount as net_sales_amount
from amounts as a
