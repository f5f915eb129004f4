select tenant_id, pos_system, external_id, count(*) as transactions
from {{ ref('pos_transactions') }}
group by tenant_id, pos_system, external_id
having count(*) > 1
