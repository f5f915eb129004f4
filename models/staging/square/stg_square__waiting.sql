select configuration_id, tenant_id, 'orders' as stream, external_id, waiting_reason as reason
from {{ ref('stg_square__order_candidates') }}
where is_winner and waiting_reason is not null
