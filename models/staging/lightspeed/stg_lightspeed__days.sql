{{ config(
    materialized='table',
    indexes=[{'columns': ['configuration_id', 'location_id', 'business_date']}],
    post_hook='analyze {{ this }}'
) }}

select distinct on (v.configuration_id, v.location_id, v.business_date)
    v.configuration_id, v.location_id, v.business_date, v.next_start_at
from {{ ref('stg_lightspeed__day_versions') }} as v
where
    v.reject_reason is null
    and v.next_start_at is not null
    and v.configuration_id in (select configuration_id from {{ ref('int_documents_touched') }})
order by v.configuration_id, v.location_id, v.business_date, {{ newest_first('v') }}
