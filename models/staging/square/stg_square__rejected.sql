select configuration_id, tenant_id, 'orders' as stream, external_id, content_hash, reject_reason as reason
from {{ ref('stg_square__order_candidates') }}
where reject_reason is not null

union all

select configuration_id, tenant_id, 'locations', location_id, content_hash, reject_reason
from {{ ref('stg_square__location_versions') }}
where
    (
        load_id in (select load_id from {{ source('pos', 'pos_pending_loads') }} where pos_system = 'square')
        or configuration_id in (select configuration_id from {{ ref('int_documents_touched') }})
    )
    and reject_reason is not null

union all

select configuration_id, tenant_id, 'refunds', refund_id, content_hash, reject_reason
from {{ ref('stg_square__refund_versions') }}
where reject_reason is not null
