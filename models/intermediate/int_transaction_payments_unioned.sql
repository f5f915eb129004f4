{{ config(
    materialized='table',
    indexes=[{'columns': ['transaction_id']}],
    post_hook='analyze {{ this }}'
) }}

{% for pos in var('pos_systems') -%}
select * from {{ ref('stg_' ~ pos ~ '__transaction_payments') }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
