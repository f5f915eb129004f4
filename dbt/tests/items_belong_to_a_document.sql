select c.transaction_item_id, c.tenant_id, c.transaction_id
from {{ ref('pos_transaction_items') }} as c
left join {{ ref('pos_transactions') }} as t on t.transaction_id = c.transaction_id
where
    t.transaction_id is null
    or (c.tenant_id, c.configuration_id, c.currency) <> (t.tenant_id, t.configuration_id, t.currency)
