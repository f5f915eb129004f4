{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'external_order_id']}],
    post_hook=[stored_plainly('check_payload'), 'analyze {{ this }}']
) }}

-- Every check that any version of an order lists, as the newest version that lists it has it.
with listed as (
    select distinct on (o.configuration_id, o.external_id, c.value ->> 'guid')
        o.configuration_id, o.tenant_id, o.external_id, o.restaurant_id, o.timezone, o.currency, o.closeout_hour,
        o.first_received_at, o.rank, o.payload,
        c.value ->> 'guid' as check_id,
        c.value as check_payload
    from {{ ref('stg_toast__order_candidates') }} as o
    cross join lateral {{ elements("o.payload -> 'checks'") }} as c (value)
    where o.rank is not null and o.waiting_reason is null
    order by o.configuration_id, o.external_id, c.value ->> 'guid', o.rank
),

described as (
    select
        l.configuration_id, l.tenant_id, l.external_id as external_order_id, l.check_id, l.restaurant_id,
        l.timezone, l.currency, l.closeout_hour, l.first_received_at, l.check_payload,
        -- The newest version tells of a check that it no longer lists that it is gone.
        w.external_version, w.external_updated_at, w.source,
        l.rank > 1 as is_gone,
        l.rank > 1 or l.payload -> 'deleted' = 'true' or l.check_payload -> 'deleted' = 'true' as is_deleted,
        l.payload -> 'voided' = 'true' or l.check_payload -> 'voided' = 'true' as is_voided,
        coalesce(l.payload -> 'createdInTestMode' = 'true', false) as is_test,
        coalesce(l.payload -> 'excessFood' = 'true', false) as is_waste,
        l.payload ->> 'approvalStatus' as approval_status,
        l.check_payload ->> 'paymentStatus' as payment_status,
        (l.payload ->> 'businessDate')::date as business_date,
        coalesce(
            {{ instant("(l.check_payload ->> 'openedDate')") }}, {{ instant("(l.payload ->> 'openedDate')") }}
        ) as opened_at,
        {{ instant("(l.check_payload ->> 'closedDate')") }} as closed_at,
        coalesce(
            {{ instant("(l.check_payload ->> 'paidDate')") }},
            {{ instant("(l.check_payload ->> 'openedDate')") }},
            {{ instant("(l.check_payload ->> 'createdDate')") }},
            {{ instant("(l.payload ->> 'openedDate')") }},
            {{ instant("(l.payload ->> 'createdDate')") }},
            {{ instant("(l.payload ->> 'modifiedDate')") }}
        ) as occurred_at
    from listed as l
    inner join {{ ref('stg_toast__order_candidates') }} as w
        on w.configuration_id = l.configuration_id and w.external_id = l.external_id and w.rank = 1
),

-- A check may move to another order and keep its guid: it belongs to the order that lists it now, then to one that is
-- not deleted, then to the one that was changed last.
owned as (
    select distinct on (d.configuration_id, d.check_id) d.*
    from described as d
    order by
        d.configuration_id, d.check_id, d.is_gone, coalesce(d.is_deleted, false),
        d.external_updated_at desc nulls last, d.external_order_id desc
),

classified as (
    select
        o.*,
        case
            when o.is_deleted then 'deleted'
            when o.is_voided then 'voided'
            when o.approval_status in ('FUTURE', 'NEEDS_APPROVAL', 'NOT_APPROVED') then 'open'
            when coalesce(o.approval_status, 'APPROVED') <> 'APPROVED' then 'other'
            when o.payment_status in ('PAID', 'CLOSED') then 'completed'
            when o.payment_status = 'OPEN' then 'open'
            else 'other'
        end as status,
        o.is_test or o.is_waste or coalesce(o.approval_status, 'APPROVED') <> 'APPROVED' as is_no_sale
    from owned as o
)

select
    c.configuration_id, c.tenant_id, c.external_order_id, c.check_id, c.restaurant_id, c.timezone, c.currency,
    c.external_version, c.external_updated_at, c.source, c.first_received_at,
    c.check_payload, c.status, c.is_no_sale, c.opened_at, c.closed_at, c.occurred_at, c.closeout_hour,
    coalesce(
        c.business_date,
        {{ business_date('c.occurred_at', 'c.timezone', 'make_time(c.closeout_hour, 0, 0)') }}
    ) as business_date
from classified as c
