-- The names of the sales categories that lines of the batch refer to, as the restaurant has them now.
with uses as (
    select distinct l.configuration_id, c.restaurant_id || '/salesCategories/' || l.sales_category_id as config_id
    from {{ ref('stg_toast__check_lines') }} as l
    inner join {{ ref('stg_toast__checks') }} as c
        on c.configuration_id = l.configuration_id and c.check_id = l.check_id
    where l.sales_category_id is not null
)

select distinct on (u.configuration_id, u.config_id)
    u.configuration_id, u.config_id,
    nullif(d.payload ->> 'name', '') as name
from uses as u
inner join ({{ held_documents('toast', 'config') }}) as d
    on d.configuration_id = u.configuration_id::text and d.external_id = u.config_id
order by u.configuration_id, u.config_id, {{ newest_first('d') }}
