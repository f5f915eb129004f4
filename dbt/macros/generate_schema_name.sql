{#- A custom schema is used as it is written; without one a model goes to the target's own schema (public).
    dbt's default would put the target's schema before it (public_pos_work). -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
