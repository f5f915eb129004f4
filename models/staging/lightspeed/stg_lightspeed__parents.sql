with initial as (
    select distinct configuration_id, initial_id
    from {{ ref('stg_lightspeed__sales') }}
    where initial_id is not null
),

held as (
    select
        i.configuration_id, i.initial_id,
        min(nullif(d.payload ->> 'accountReference', '')) as least_reference,
        max(nullif(d.payload ->> 'accountReference', '')) as greatest_reference
    from initial as i
    inner join ({{ held_documents('lightspeed', 'sales') }}) as d
        on d.configuration_id = i.configuration_id::text and d.external_id = i.initial_id
    group by i.configuration_id, i.initial_id
)

select
    configuration_id, initial_id,
    case
        when least_reference is null then initial_id
        when least_reference = greatest_reference then least_reference
    end as account_id
from held
