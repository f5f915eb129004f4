select distinct on (t.configuration_id, d.external_id)
    t.configuration_id,
    t.external_id as external_order_id,
    d.external_id as external_payment_id,
    coalesce(
        jsonb_typeof(d.payload::jsonb -> 'offline_payment_details') = 'object'
        or d.payload::jsonb -> 'is_offline_payment' = 'true'::jsonb,
        false
    ) as is_offline,
    {{ instant("(d.payload #>> '{offline_payment_details,client_created_at}')") }} as taken_at
from {{ ref('int_documents_touched') }} as t
inner join ({{ held_documents('square', 'payments') }}) as d
    on d.configuration_id = t.configuration_id::text and d.payload ->> 'order_id' = t.external_id
where t.pos_system = 'square'
order by t.configuration_id, d.external_id, {{ newest_first('d') }}
