select i.transaction_item_id, i.tenant_id, i.parent_external_line_id
from {{ ref('pos_transaction_items') }} as i
left join {{ ref('pos_transaction_items') }} as p
    on p.transaction_id = i.transaction_id and p.external_line_id = i.parent_external_line_id
where i.parent_external_line_id is not null and p.transaction_item_id is null
