select configuration_id, tenant_id, 'sales' as stream, external_id, content_hash, reject_reason as reason
from {{ ref('stg_lightspeed__sale_candidates') }}
where reject_reason is not null

{%- for stream, versions, id in [
    ('locations', ref('stg_lightspeed__location_versions'), 'location_id'),
    ('days', ref('stg_lightspeed__day_versions'), 'external_id')
] %}

union all

select configuration_id, tenant_id, '{{ stream }}', {{ id }}, content_hash, reject_reason
from {{ versions }}
where
    (
        load_id in (select load_id from {{ source('pos', 'pos_pending_loads') }} where pos_system = 'lightspeed')
        or configuration_id in (select configuration_id from {{ ref('int_documents_touched') }})
    )
    and reject_reason is not null
{%- endfor %}
