with documents as (
    select
        d.*,
        d.payload ->> 'date' as day_text,
        d.payload ->> 'nextStartOfDayAsIso8601' as next_start_text,
        coalesce(
            d.payload ->> 'date' ~ '^\d{4}-\d\d-\d\d$' and pg_input_is_valid(d.payload ->> 'date', 'date'), false
        ) as is_day
    from ({{ held_documents('lightspeed', 'days') }}) as d
)

select
    d.configuration_id::uuid as configuration_id,
    d.tenant_id::uuid as tenant_id,
    d.external_id,
    d.payload ->> 'businessLocationId' as location_id,
    case when d.is_day then d.day_text::date end as business_date,
    {{ instant('d.next_start_text') }} as next_start_at,
    d.external_version, d.external_updated_at, d.read_at, d.received_at, d.content_hash, d.source,
    d._dlt_load_id as load_id,
    case
        when not d.is_day then 'the business day has no date'
        when d.next_start_text is not null and not {{ is_instant('d.next_start_text') }}
            then 'nextStartOfDayAsIso8601 is not a time: ' || {{ excerpt('d.next_start_text') }}
    end as reject_reason
from documents as d
