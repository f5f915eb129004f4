-- Materialized, so that the text of a document is parsed once.
with documents as materialized (
    select d.*, d.payload::jsonb -> 'general' as general
    from ({{ held_documents('toast', 'restaurants') }}) as d
)

select
    d.configuration_id::uuid as configuration_id,
    d.tenant_id::uuid as tenant_id,
    d.external_id as restaurant_id,
    d.general ->> 'timeZone' as timezone,
    case when d.general ->> 'currencyCode' ~ '^[A-Z]{3}$' then d.general ->> 'currencyCode' end as currency,
    case when d.general ->> 'closeoutHour' ~ '^(1?\d|2[0-3])$' then (d.general ->> 'closeoutHour')::integer else 4 end
        as closeout_hour,
    d.external_version, d.external_updated_at, d.read_at, d.received_at, d.content_hash, d.source,
    d._dlt_load_id as load_id,
    case
        when d.general ->> 'timeZone' is null then 'the restaurant has no timeZone'
        when not {{ is_time_zone("d.general ->> 'timeZone'") }}
            then 'the timeZone of the restaurant is not known: ' || {{ excerpt("d.general ->> 'timeZone'") }}
        when d.general ->> 'currencyCode' is null then 'the restaurant has no currencyCode'
        when d.general ->> 'currencyCode' !~ '^[A-Z]{3}$'
            then 'the currencyCode is not a code of three letters: ' || {{ excerpt("d.general ->> 'currencyCode'") }}
    end as reject_reason
from documents as d
