select configuration_id, tenant_id, 'orders' as stream, external_id, content_hash, reject_reason as reason
from {{ ref('stg_toast__order_candidates') }}
where reject_reason is not null

union all

select configuration_id, tenant_id, 'restaurants', restaurant_id, content_hash, reject_reason
from {{ ref('stg_toast__restaurant_versions') }}
where
    (
        load_id in (select load_id from {{ source('pos', 'pos_pending_loads') }} where pos_system = 'toast')
        or configuration_id in (select configuration_id from {{ ref('int_documents_touched') }})
    )
    and reject_reason is not null
