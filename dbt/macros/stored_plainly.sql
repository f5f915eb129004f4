{#- A post-hook: from the next batch on, a column of documents is stored in the row as it is. Every look into a compressed
    document unpacks all of it, and the models that follow look into each dozens of times.

    Args:
        column: its name. -#}
{% macro stored_plainly(column) -%}
    alter table {{ '{{ this }}' }} alter column {{ column }} set storage external, set (toast_tuple_target = 8160)
{%- endmacro %}
