select
    configuration_id, tenant_id, external_id,
    external_version, external_updated_at, source, first_received_at,
    location_id, timezone, currency,
    {{ minor_unit('currency') }} as minor_unit,
    payload,
    case
        when payload @? '$.returns[*]' then case when payload @? '$.line_items[*]' then 'exchange' else 'return' end
        when
            payload @? '$.tenders[*] ? (@.type == "NO_SALE")'
            and not payload @? '$.line_items[*]'
            and coalesce({{ minor('payload', 'total_money') }}, 0) = 0
            then 'other'
        else 'sale'
    end as kind,
    case payload ->> 'state'
        when 'COMPLETED' then 'completed'
        when 'OPEN' then 'open'
        when 'CANCELED' then 'canceled'
        when 'DRAFT' then 'draft'
        else 'other'
    end as state
from {{ ref('stg_square__order_candidates') }}
where is_winner and waiting_reason is null
