-- Only the newest version of the source that lists the charge speaks for it.
with returned as (
    select
        o.configuration_id, o.external_id,
        r.value ->> 'source_order_id' as source_order_id,
        c.value ->> 'source_service_charge_uid' as charge_uid
    from {{ ref('stg_square__orders') }} as o
    cross join lateral {{ elements("o.payload -> 'returns'") }} as r (value)
    cross join lateral {{ elements("r.value -> 'return_service_charges'") }} as c (value)
    where
        c.value ->> 'type' is null
        and c.value ->> 'source_service_charge_uid' is not null
        and r.value ->> 'source_order_id' is not null
)

select distinct on (r.configuration_id, r.external_id, r.source_order_id, r.charge_uid)
    r.configuration_id, r.external_id, r.source_order_id, r.charge_uid,
    s.value ->> 'type' as charge_type
from returned as r
inner join ({{ held_documents('square', 'orders') }}) as d
    on d.configuration_id = r.configuration_id::text and d.external_id = r.source_order_id
cross join lateral {{ elements("d.payload::jsonb -> 'service_charges'") }} as s (value)
where s.value ->> 'uid' = r.charge_uid
order by r.configuration_id, r.external_id, r.source_order_id, r.charge_uid, {{ newest_first('d') }}
