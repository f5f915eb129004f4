{{ config(
    indexes=[{'columns': ['transaction_id']}],
    meta={'batch_delete': batch_delete_by_transaction()}
) }}

-- The header comes first: the foreign key needs it. depends_on: {{ ref('pos_transactions') }}
select
    transaction_payment_id,
    transaction_id,
    tenant_id,
    configuration_id,
    external_payment_id::text as external_payment_id,
    method::text as method,
    amount::numeric(20, 6) as amount,
    tip_amount::numeric(20, 6) as tip_amount,
    status::text as status,
    card_brand::text as card_brand,
    card_last4::text as card_last4,
    paid_at,
    currency::char(3) as currency
from {{ ref('int_transaction_payments_unioned') }}
