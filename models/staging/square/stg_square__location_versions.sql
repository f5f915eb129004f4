select
    d.configuration_id::uuid as configuration_id,
    d.tenant_id::uuid as tenant_id,
    d.external_id as location_id,
    d.payload ->> 'name' as name,
    d.payload ->> 'timezone' as timezone,
    case when d.payload ->> 'currency' ~ '^[A-Z]{3}$' then d.payload ->> 'currency' end as currency,
    d.external_version, d.external_updated_at, d.read_at, d.received_at, d.content_hash, d.source,
    d._dlt_load_id as load_id,
    case
        when d.payload ->> 'timezone' is null then 'the location has no timezone'
        when not {{ is_time_zone("d.payload ->> 'timezone'") }}
            then 'the timezone of the location is not known: ' || {{ excerpt("d.payload ->> 'timezone'") }}
    end as reject_reason
from ({{ held_documents('square', 'locations') }}) as d
