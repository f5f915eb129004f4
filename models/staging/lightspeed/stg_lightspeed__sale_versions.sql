{#- What a document must be like to be normalised: where its lists, its long keys and its money are. -#}
{%- set lists = ['salesLines', 'salesLines[*].taxLines', 'payments'] -%}
{%- set keys = ['businessLocationId', 'accountReference', 'source.initialAccountId'] -%}
{%- set money = [
    'salesLines[*].totalNetAmountWithTax', 'salesLines[*].totalNetAmountWithoutTax', 'salesLines[*].serviceCharge',
    'salesLines[*].discountAmount', 'salesLines[*].accountDiscountAmount', 'salesLines[*].totalDiscountAmount',
    'salesLines[*].taxAmount', 'salesLines[*].taxLines[*].taxAmount', 'payments[*].netAmountWithTax',
    'payments[*].tip', 'payments[*].surcharge', 'payments[*].roundingAmount'
] -%}

-- Materialized, so that the text of a document is parsed once and not for every look into it.
with documents as materialized (
    select
        t.configuration_id, d.tenant_id::uuid as tenant_id, d.external_id,
        d.external_version, d.external_updated_at, d.content_hash, d.source, d.read_at, d.received_at,
        -- A key with null says what an absent one says, also to the paths below.
        jsonb_strip_nulls(d.payload::jsonb) as payload
    from {{ ref('int_documents_touched') }} as t
    inner join ({{ held_documents('lightspeed', 'sales') }}) as d
        on d.configuration_id = t.configuration_id::text and d.external_id = t.external_id
    where t.pos_system = 'lightspeed'
),

timed as (
    select
        d.*,
        {%- for name, spellings in [
            ('opened', ['timeOfOpening', 'timeofOpening']),
            ('closed', ['timeClosed', 'timeOfCloseAndPaid', 'timeofCloseAndPaid'])
        ] %}
        coalesce(
            {%- for spelling in spellings %}nullif(d.payload ->> '{{ spelling }}', ''){{ ', ' if not loop.last }}
            {%- endfor -%}
        ) as {{ name }}_text{{ ',' if not loop.last }}
        {%- endfor %}
    from documents as d
)

select
    d.configuration_id, d.tenant_id, d.external_id,
    d.external_version, d.external_updated_at, d.content_hash, d.source, d.read_at, d.received_at,
    d.payload,
    nullif(d.payload ->> 'accountReference', '') as account_reference,
    currencies.currency,
    {{ instant('d.opened_text') }} as opened_at,
    {{ instant('d.closed_text') }} as closed_at,
    case
        when jsonb_typeof(d.payload) <> 'object' then 'the document is not an object'
        {%- for list in lists %}
        when jsonb_path_exists(d.payload, '$.{{ list }}.type() ? (@ != "array")', '{}', true)
            then '{{ list }} is not a list'
        when jsonb_path_exists(d.payload, '$.{{ list }}[*].type() ? (@ != "object")', '{}', true)
            then '{{ list }} has an entry that is not an object'
        {%- endfor %}
        when coalesce(d.payload ->> 'businessLocationId', '') = '' then 'businessLocationId is missing'
        {%- for key in keys %}
        when length(d.payload #>> '{{ '{' ~ key | replace('.', ',') ~ '}' }}') > 190 then '{{ key }} is too long'
        {%- endfor %}
        when d.closed_text is null then 'timeClosed is missing'
        when not {{ is_instant('d.closed_text') }} then 'timeClosed is not a time: ' || {{ excerpt('d.closed_text') }}
        when amounts.bad is not null then 'not an amount: ' || {{ excerpt('amounts.bad') }}
        -- All amounts together, so that no sum of them can leave numeric(20,6).
        when amounts.volume > 1e13 then 'an amount is out of range'
        when quantities.bad is not null then 'a quantity is not a number: ' || {{ excerpt('quantities.bad') }}
        when jsonb_path_exists(
            d.payload,
            '$.salesLines[*] ? (!exists(@.totalNetAmountWithTax) && !exists(@.totalNetAmountWithoutTax))', '{}', true
        ) then 'salesLines has a line without a total'
        when currencies.are_mixed then 'the amounts are in more than one currency'
        when currencies.currency !~ '^[A-Z]{3}$'
            then 'the currency is not a code of three letters: ' || {{ excerpt('currencies.currency') }}
    end as reject_reason
from timed as d
left join lateral (
    select
        min(m.amount) filter (where m.amount ~ '\S' and not {{ is_decimal('m.amount') }}) as bad,
        sum(abs({{ decimal('m.amount') }})) as volume
    from (
        {%- for path in money %}
        select jsonb_path_query(d.payload, '$.{{ path }}', '{}', true) #>> '{}' as amount
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as m
) as amounts on true
left join lateral (
    select min(q.quantity) as bad
    from (
        select jsonb_path_query(d.payload, '$.salesLines[*].quantity', '{}', true) #>> '{}' as quantity
    ) as q
    where q.quantity ~ '\S' and not {{ is_quantity('q.quantity') }}
) as quantities on true
left join lateral (
    select min(c.currency) as currency, min(c.currency) <> max(c.currency) as are_mixed
    from (
        select jsonb_path_query(d.payload, '$.salesLines[*].currency', '{}', true) #>> '{}' as currency
        union all
        select jsonb_path_query(d.payload, '$.payments[*].currency', '{}', true) #>> '{}'
    ) as c
    where c.currency <> ''
) as currencies on true
