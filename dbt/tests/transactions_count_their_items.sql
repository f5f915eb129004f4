select t.transaction_id, t.tenant_id, t.external_id, t.item_count, count(i.transaction_item_id) as items
from {{ ref('pos_transactions') }} as t
left join {{ ref('pos_transaction_items') }} as i on i.transaction_id = t.transaction_id
group by t.transaction_id
having t.item_count <> count(i.transaction_item_id)
