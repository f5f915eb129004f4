select distinct configuration_id, tenant_id, 'sales' as stream, external_id, waiting_reason as reason
from {{ ref('stg_lightspeed__sale_candidates') }}
where is_winner and waiting_reason is not null
