{#- Codes of payment methods are the merchant's own; these are the ones that say what they are. -#}
{%- set card_codes = [
    'CARD', 'CC', 'CB', 'CREDIT', 'DEBIT', 'CREDITCARD', 'DEBITCARD', 'EC', 'VISA', 'MC', 'MASTERCARD', 'MAESTRO', 'AMEX',
    'BANCONTACT', 'LSPAY', 'LSPAYMENTS', 'ADYEN'
] -%}
{%- set gift_card_codes = ['GIFTCARD', 'GIFT', 'GC'] -%}

with payments as (
    select
        s.configuration_id, s.account_id, s.currency, s.is_cancelled,
        p.position, p.value as payment,
        coalesce(nullif(p.value ->> 'uuid', ''), nullif(p.value ->> 'fiscId', ''), '#' || p.position) as payment_id,
        regexp_replace(upper(coalesce(p.value ->> 'code', '')), '[^A-Z]', '', 'g') as code,
        {%- for name, key in [
            ('net', 'netAmountWithTax'), ('tip', 'tip'), ('surcharge', 'surcharge'), ('rounding', 'roundingAmount')
        ] %}
        coalesce({{ decimal("(p.value ->> '" ~ key ~ "')") }}, 0) as {{ name }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_lightspeed__sales') }} as s
    cross join lateral {{ elements("s.payload -> 'payments'") }} with ordinality as p (value, position)
)

select
    p.configuration_id, p.account_id,
    p.payment_id || case
        when row_number() over (
            partition by p.configuration_id, p.account_id, p.payment_id order by p.position
        ) > 1 then '#' || p.position
        else ''
    end as external_payment_id,
    case
        when p.payment ->> 'type' = 'ACCOUNTS_RECEIVABLE' then 'other'
        when p.code = 'CASH' then 'cash'
        when p.code in ('{{ card_codes | join("', '") }}') then 'card'
        when p.code in ('{{ gift_card_codes | join("', '") }}') then 'gift_card'
        else 'other'
    end as method,
    case
        when p.is_cancelled then 'voided'
        when p.net_amount + p.surcharge_amount + p.tip_amount < 0 then 'refunded'
        else 'captured'
    end as status,
    -- Tip and surcharge come on top of what was paid for the goods.
    p.net_amount + p.surcharge_amount as amount,
    p.tip_amount, p.surcharge_amount, p.rounding_amount,
    {{ instant("(p.payment ->> 'fiscDate')") }} as paid_at,
    p.currency
from payments as p
