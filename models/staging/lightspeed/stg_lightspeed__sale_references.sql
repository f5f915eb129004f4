{{ config(
    materialized='incremental',
    incremental_strategy='replace_batch',
    unlogged=false,
    on_schema_change='fail',
    indexes=[
        {'columns': ['configuration_id', 'kind', 'reference_id']},
        {'columns': ['configuration_id', 'external_id']},
    ],
    meta={'batch_delete': batch_delete_by_key('external_id')}
) }}

-- Winners whose location is unknown as well: its document has to find them.
select distinct configuration_id, external_id, 'location' as kind, location_id as reference_id
from {{ ref('stg_lightspeed__sale_candidates') }}
where is_winner

union all

select distinct configuration_id, external_id, 'account', payload #>> '{source,initialAccountId}'
from {{ ref('stg_lightspeed__sale_candidates') }}
where is_winner and nullif(payload #>> '{source,initialAccountId}', external_id) <> ''
