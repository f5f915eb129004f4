select distinct on (v.configuration_id, v.restaurant_id)
    v.configuration_id, v.restaurant_id, v.timezone, v.currency, v.closeout_hour
from {{ ref('stg_toast__restaurant_versions') }} as v
where
    v.reject_reason is null
    and v.configuration_id in (select configuration_id from {{ ref('int_documents_touched') }})
order by v.configuration_id, v.restaurant_id, {{ newest_first('v') }}
