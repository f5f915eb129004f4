{% for pos in var('pos_systems') -%}
select * from {{ ref('stg_' ~ pos ~ '__transactions') }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
