select configuration_id, tenant_id, 'orders' as stream, external_id, waiting_reason as reason
from {{ ref('stg_toast__order_candidates') }}
where rank = 1 and waiting_reason is not null
