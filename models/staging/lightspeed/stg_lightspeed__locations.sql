select distinct on (v.configuration_id, v.location_id)
    v.configuration_id, v.location_id, v.name, v.timezone, v.currency, v.has_tax_in_prices
from {{ ref('stg_lightspeed__location_versions') }} as v
where
    v.reject_reason is null
    and v.configuration_id in (select configuration_id from {{ ref('int_documents_touched') }})
order by v.configuration_id, v.location_id, {{ newest_first('v') }}
