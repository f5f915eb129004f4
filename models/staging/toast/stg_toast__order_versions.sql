{#- What a document must be like to be normalised: its lists, flags, amounts, times and days, at any depth. -#}
{%- set lists = [
    'checks', 'selections', 'modifiers', 'payments', 'appliedServiceCharges'
] -%}
{%- set objects = ['refund', 'refundDetails', 'refundTransaction', 'item', 'salesCategory'] -%}
{%- set flags = ['voided', 'deleted', 'deferred', 'gratuity', 'createdInTestMode', 'excessFood'] -%}
{%- set amounts = [
    'amount', 'taxAmount', 'preDiscountPrice', 'price', 'tax', 'receiptLinePrice', 'chargeAmount', 'tipAmount',
    'refundAmount', 'tipRefundAmount', 'taxRefundAmount'
] -%}
{%- set instants = ['openedDate', 'createdDate', 'paidDate', 'closedDate', 'refundDate', 'modifiedDate'] -%}
{%- set days = ['businessDate', 'refundBusinessDate'] -%}
{%- set texts = ['restaurantGuid', 'guid'] -%}

-- Materialized, so that the text of a document is parsed once and not for every look into it.
with documents as materialized (
    select
        t.configuration_id, d.tenant_id::uuid as tenant_id, d.external_id,
        d.external_version, d.external_updated_at, d.content_hash, d.source, d.read_at, d.received_at,
        -- A key with null says what an absent one says, also to the paths below.
        jsonb_strip_nulls(d.payload::jsonb) as payload
    from {{ ref('int_documents_touched') }} as t
    inner join ({{ held_documents('toast', 'orders') }}) as d
        on d.configuration_id = t.configuration_id::text and d.external_id = t.external_id
    where t.pos_system = 'toast'
)

select
    d.*,
    case
        when jsonb_typeof(d.payload) <> 'object' then 'the document is not an object'
        when jsonb_typeof(d.payload -> 'checks') is distinct from 'array' then 'the order has no list of checks'
        when fields.bad_list is not null then fields.bad_list || ' is not a list of objects'
        when fields.bad_object is not null then fields.bad_object || ' is not an object'
        when fields.bad_flag is not null then fields.bad_flag || ' is neither true nor false'
        when fields.bad_text is not null then fields.bad_text || ' is not text'
        when fields.long_text is not null then fields.long_text || ' is too long'
        when fields.bad_amount is not null then 'not an amount: ' || {{ excerpt("fields.bad_amount") }}
        -- All amounts together, so that no sum of them can leave numeric(20,6).
        when fields.volume > 1e13 then 'an amount is out of range'
        when fields.bad_quantity is not null then 'a quantity is not a number: ' || {{ excerpt("fields.bad_quantity") }}
        when fields.bad_instant is not null then 'not a time: ' || {{ excerpt("fields.bad_instant") }}
        when fields.bad_day is not null then 'not a day: ' || {{ excerpt("fields.bad_day") }}
        when d.payload @? '$.checks[*] ? (!exists(@.guid) || @.guid == "")' then 'a check has no guid'
        when d.payload @? '$.checks[*] ? (!exists(@.amount) || !exists(@.taxAmount))'
            then 'a check has no amount or no taxAmount'
        when checks.is_repeated then 'two checks have the same guid'
        when
            d.payload @? '$.checks[*] ? (!exists(@.paidDate) && !exists(@.openedDate) && !exists(@.createdDate))'
            and not d.payload @? '$ ? (exists(@.openedDate) || exists(@.createdDate) || exists(@.modifiedDate))'
            then 'a check says no time'
    end as reject_reason
from documents as d
left join lateral (
    select
        min(f.key) filter (where f.key in ('{{ lists | join("', '") }}') and not f.is_list) as bad_list,
        min(f.key) filter (where f.key in ('{{ objects | join("', '") }}') and f.type <> 'object') as bad_object,
        min(f.key) filter (where f.key in ('{{ flags | join("', '") }}') and f.type <> 'boolean') as bad_flag,
        min(f.key) filter (where f.key in ('{{ texts | join("', '") }}') and f.type <> 'string') as bad_text,
        min(f.key) filter (where f.key in ('{{ texts | join("', '") }}') and length(f.text) >= 192) as long_text,
        min(f.text) filter (where f.is_amount and not f.is_number) as bad_amount,
        sum(case when f.is_amount and f.is_number then abs(f.text::numeric) end) as volume,
        min(f.text) filter (where f.key = 'quantity' and (f.type <> 'number' or not {{ is_quantity("f.text") }}))
            as bad_quantity,
        min(f.text) filter (
            where f.key in ('{{ instants | join("', '") }}') and (f.type <> 'string' or not {{ is_instant("f.text") }})
        ) as bad_instant,
        min(f.text) filter (
            where
                f.key in ('{{ days | join("', '") }}')
                and not (f.type = 'number' and f.text ~ '^\d{8}$' and pg_input_is_valid(f.text, 'date'))
        ) as bad_day
    from (
        select
            e.key,
            jsonb_typeof(e.value) as type,
            e.value #>> '{}' as text,
            e.key in ('{{ amounts | join("', '") }}') as is_amount,
            jsonb_typeof(e.value) = 'number' as is_number,
            jsonb_typeof(e.value) = 'array' and not e.value @? '$[*] ? (@.type() != "object")' as is_list
        from jsonb_path_query(d.payload, 'strict $.** ? (@.type() == "object")', '{}', true) as o (object)
        cross join lateral jsonb_each(o.object) as e (key, value)
    ) as f
) as fields on true
left join lateral (
    select count(*) > count(distinct c.value ->> 'guid') as is_repeated
    from {{ elements("d.payload -> 'checks'") }} as c (value)
) as checks on true
