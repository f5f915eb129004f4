{#- What a document must be like to be normalised: where its lists, its objects, its long keys and its money are. -#}
{%- set lists = [
    'line_items', 'line_items[*].modifiers', 'service_charges', 'taxes', 'tenders', 'refunds', 'returns',
    'returns[*].return_line_items', 'returns[*].return_line_items[*].return_modifiers',
    'returns[*].return_service_charges', 'returns[*].return_taxes', 'returns[*].return_tips'
] -%}
{%- set objects = [
    'net_amounts', 'return_amounts', 'rounding_adjustment', 'returns[*].return_amounts',
    'returns[*].rounding_adjustment'
] -%}
{%- set keys = [
    'location_id', 'line_items[*].catalog_object_id', 'returns[*].source_order_id',
    'returns[*].return_line_items[*].catalog_object_id'
] -%}
{%- set lines = ['line_items', 'returns[*].return_line_items'] -%}
{%- set totals = [
    'total_money', 'tax_money', 'discount_money', 'tip_money', 'service_charge_money', 'card_surcharge_money'
] -%}
{%- set line_money = [
    'base_price_money', 'total_money', 'total_tax_money', 'total_discount_money', 'total_service_charge_money',
    'total_card_surcharge_money'
] -%}
{%- set money = {
    '$': [
        'total_money', 'total_tax_money', 'total_discount_money', 'total_tip_money', 'total_service_charge_money',
        'total_card_surcharge_money', 'rounding_adjustment.amount_money'
    ],
    '$.net_amounts': totals,
    '$.return_amounts': totals,
    '$.line_items[*]': line_money,
    '$.line_items[*].modifiers[*]': ['base_price_money'],
    '$.service_charges[*]': ['total_money', 'total_tax_money'],
    '$.tenders[*]': ['amount_money', 'tip_money'],
    '$.refunds[*]': ['amount_money'],
    '$.returns[*]': ['rounding_adjustment.amount_money'],
    '$.returns[*].return_amounts': totals,
    '$.returns[*].return_line_items[*]': line_money,
    '$.returns[*].return_line_items[*].return_modifiers[*]': ['base_price_money'],
    '$.returns[*].return_service_charges[*]': ['total_money', 'total_tax_money'],
    '$.returns[*].return_tips[*]': ['applied_money']
} -%}
{%- set charges = ['service_charges', 'returns[*].return_service_charges'] -%}

-- Materialized, so that the text of a document is parsed once and not for every look into it.
with documents as materialized (
    select
        t.configuration_id, d.tenant_id::uuid as tenant_id, d.external_id,
        d.external_version, d.external_updated_at, d.content_hash, d.source, d.read_at, d.received_at,
        -- A key with null says what an absent one says, also to the paths below.
        jsonb_strip_nulls(d.payload::jsonb) as payload
    from {{ ref('int_documents_touched') }} as t
    inner join ({{ held_documents('square', 'orders') }}) as d
        on d.configuration_id = t.configuration_id::text and d.external_id = t.external_id
    where t.pos_system = 'square'
)

select
    d.*,
    money.currency,
    case
        when jsonb_typeof(d.payload) <> 'object' then 'the document is not an object'
        {%- for list in lists %}
        when jsonb_path_exists(d.payload, '$.{{ list }}.type() ? (@ != "array")', '{}', true)
            then '{{ list }} is not a list'
        when jsonb_path_exists(d.payload, '$.{{ list }}[*].type() ? (@ != "object")', '{}', true)
            then '{{ list }} has an entry that is not an object'
        {%- endfor %}
        {%- for object in objects %}
        when jsonb_path_exists(d.payload, '$.{{ object }}.type() ? (@ != "object")', '{}', true)
            then '{{ object }} is not an object'
        {%- endfor %}
        {%- for key in ['location_id', 'state', 'created_at'] %}
        when jsonb_typeof(d.payload -> '{{ key }}') is distinct from 'string' or d.payload ->> '{{ key }}' = ''
            then '{{ key }} is missing'
        {%- endfor %}
        {%- for key in keys %}
        when jsonb_path_exists(d.payload, '$.{{ key }} ? (@ like_regex "^.{192,}$" flag "s")', '{}', true)
            then '{{ key }} is too long'
        {%- endfor %}
        {%- for key in ['created_at', 'closed_at'] %}
        when d.payload ->> '{{ key }}' is not null and not {{ is_instant("(d.payload ->> '" ~ key ~ "')") }}
            then '{{ key }} is not a time: ' || {{ excerpt("d.payload ->> '" ~ key ~ "'") }}
        {%- endfor %}
        when times.bad is not null then 'created_at of a tender or refund is not a time: ' || {{ excerpt("times.bad") }}
        {%- for parent, names in money.items() %}
        when jsonb_path_exists(d.payload, '{{ parent }} ? (
            {%- for name in names -%}
            @.{{ name }}.type() != "object"{{ ' || ' if not loop.last }}
            {%- endfor -%} )', '{}', true)
            then 'an amount of {{ parent }} is not a money object'
        {%- endfor %}
        when money.bad is not null then 'not an amount in whole minor units: ' || {{ excerpt("money.bad") }}
        when money.is_mixed then 'the amounts are in more than one currency'
        when money.currency !~ '^[A-Z]{3}$'
            then 'the currency is not a code of three letters: ' || {{ excerpt("money.currency") }}
        -- All amounts together, so that no sum of them can leave numeric(20,6).
        when money.volume > 1e15 or money.volume * {{ minor_unit('money.currency') }} > 1e13
            then 'an amount is out of range'
        {%- for list in lines %}
        when jsonb_path_exists(d.payload, '$.{{ list }}[*] ? (!exists(@.total_money.amount))', '{}', true)
            then '{{ list }} has a line without total_money'
        when jsonb_path_exists(d.payload, '$.{{ list }}[*] ? (!exists(@.quantity))', '{}', true)
            then '{{ list }} has a line without quantity'
        {%- endfor %}
        when quantities.bad is not null then 'a quantity is not a number: ' || {{ excerpt("quantities.bad") }}
        {%- for list in charges %}
        when jsonb_path_exists(
            d.payload, '$.{{ list }}[*] ? (!exists(@.total_money.amount))', '{}', true
        ) then '{{ list }} has a charge without total_money'
        {%- endfor %}
        when
            d.payload @? '$.returns[*]'
            and {{ minor('d.payload', 'return_amounts.total_money') }} is null
            and d.payload @? '$.returns[*] ? (!exists(@.return_amounts.total_money.amount))'
            then 'the return has no return_amounts'
        when
            {{ minor('d.payload', 'total_money') }} is null
            and {{ minor('d.payload', 'net_amounts.total_money') }} is null
            and (d.payload @? '$.line_items[*]' or d.payload @? '$.service_charges[*]')
            then 'the order has no total_money'
    end as reject_reason
from documents as d
left join lateral (
    select
        min(m.amount) filter (where not m.is_amount) as bad,
        min(m.currency) as currency,
        min(m.currency) <> max(m.currency) as is_mixed,
        sum(case when m.is_amount then abs(m.amount::numeric) end) as volume
    from (
        select
            f.money ->> 'amount' as amount,
            f.money ->> 'currency' as currency,
            jsonb_typeof(f.money -> 'amount') = 'number' and f.money ->> 'amount' ~ '^-?\d{1,16}$' as is_amount
        from jsonb_path_query(
            d.payload, 'strict $.** ? (@.type() == "object" && exists(@.amount))', '{}', true
        ) as f (money)
    ) as m
) as money on true
left join lateral (
    select min(t.value #>> '{}') as bad
    from (
        select jsonb_path_query(d.payload, '$.tenders[*].created_at', '{}', true) as value
        union all
        select jsonb_path_query(d.payload, '$.refunds[*].created_at', '{}', true)
    ) as t
    where not {{ is_instant("(t.value #>> '{}')") }}
) as times on true
left join lateral (
    select min(coalesce(q.value #>> '{}', '')) as bad
    from (
        {%- for path in [
            'line_items[*].quantity', 'line_items[*].modifiers[*].quantity', 'returns[*].return_line_items[*].quantity',
            'returns[*].return_line_items[*].return_modifiers[*].quantity'
        ] %}
        select jsonb_path_query(d.payload, '$.{{ path }}', '{}', true) as value
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as q
    where not {{ is_quantity("(q.value #>> '{}')") }}
) as quantities on true
