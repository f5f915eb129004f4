select
    d.configuration_id::uuid as configuration_id,
    d.tenant_id::uuid as tenant_id,
    d.external_id as location_id,
    d.payload ->> 'blName' as name,
    d.payload ->> 'timezone' as timezone,
    case when d.payload ->> 'currencyCode' ~ '^[A-Z]{3}$' then d.payload ->> 'currencyCode' end as currency,
    -- Where prices are shown without tax; decides only where no tax line tells.
    coalesce(d.payload ->> 'country' not in ('US', 'CA'), true) as has_tax_in_prices,
    d.external_version, d.external_updated_at, d.read_at, d.received_at, d.content_hash, d.source,
    d._dlt_load_id as load_id,
    case
        when d.payload ->> 'timezone' is null then 'the business location has no timezone'
        when not {{ is_time_zone("d.payload ->> 'timezone'") }}
            then 'the timezone of the business location is not known: ' || {{ excerpt("d.payload ->> 'timezone'") }}
    end as reject_reason
from ({{ held_documents('lightspeed', 'locations') }}) as d
