{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'external_id']}],
    post_hook=[stored_plainly('payload'), 'analyze {{ this }}']
) }}

with versions as (
    select
        v.*,
        min(case when v.reject_reason is null then v.account_reference end) over same_id as least_reference,
        max(case when v.reject_reason is null then v.account_reference end) over same_id as greatest_reference
    from {{ ref('stg_lightspeed__sale_versions') }} as v
    window same_id as (partition by v.configuration_id, v.external_id)
),

-- A version without a reference is of the one account that has this id; where several do, or none, the id names it.
accounts as (
    select
        v.*,
        coalesce(
            v.account_reference,
            case when v.least_reference = v.greatest_reference then v.least_reference end,
            v.external_id
        ) as account_id
    from versions as v
)

select
    v.configuration_id, v.tenant_id, v.external_id, v.account_id,
    v.external_version, v.external_updated_at, v.content_hash, v.source, v.read_at, v.received_at,
    v.payload,
    v.reject_reason,
    v.opened_at, v.closed_at,
    v.payload ->> 'businessLocationId' as location_id,
    l.timezone,
    coalesce(v.currency, l.currency) as currency,
    l.has_tax_in_prices,
    -- When any document of this account was received first, rejected ones included.
    min(v.received_at) over (partition by v.configuration_id, v.external_id, v.account_id) as first_received_at,
    v.reject_reason is null
    and row_number() over (
        partition by v.configuration_id, v.external_id, v.account_id
        order by (v.reject_reason is null) desc, {{ newest_first('v') }}
    ) = 1 as is_winner,
    case
        when v.reject_reason is not null then null
        when l.location_id is null
            then 'business location ' || (v.payload ->> 'businessLocationId') || ' is not known yet'
        when coalesce(v.currency, l.currency) is null
            then 'the account has no currency, nor has business location ' || (v.payload ->> 'businessLocationId')
    end as waiting_reason
from accounts as v
left join {{ ref('stg_lightspeed__locations') }} as l
    on l.configuration_id = v.configuration_id and l.location_id = v.payload ->> 'businessLocationId'
