{#- True when the models are to be built over every document ever received instead of over the batch:
    on `--full-refresh`, and when the marts do not exist yet (a first plain `dbt run` must not show a part of the past
    as if it were all of it).

    The answer is taken when a model is compiled, so statements that are compiled once and kept must be compiled
    while the marts exist and without `--full-refresh`. -#}
{% macro whole_history() -%}
    {%- if not execute -%}
        {{ return(false) }}
    {%- endif -%}
    {{ return(flags.FULL_REFRESH or held_relation(target.schema, 'pos_transactions') is none) }}
{%- endmacro %}


{#- The table `schema.identifier` when it exists, else none. Used where `ref` would make a cycle: the batch is found
    by looking at what the last batches left behind. -#}
{% macro held_relation(schema, identifier) -%}
    {{ return(adapter.get_relation(database=target.database, schema=schema, identifier=identifier)) }}
{%- endmacro %}
