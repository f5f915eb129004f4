{#- Incremental strategy `replace_batch`: what the batch has in the table is deleted, what the model's query returns is
    inserted. A document that lost a line loses its row, and a document that vanished loses all of them.

    The rows to delete are told by each model in `meta.batch_delete`: a condition over the table's own columns, as plain
    SQL with schema-qualified names, so that whoever runs the compiled statements can use the same one:

        delete from <table> where <meta.batch_delete>;
        insert into <table> select * from (<compiled query>);

    The query must be kept in a temporary table before the delete, because it may read the table.
    Items and payments refer to their transaction with `on delete cascade`: replacing a transaction takes its lines
    along, so a line can never outlive its document, whichever statement runs first. -#}
{% macro get_incremental_replace_batch_sql(arg_dict) %}
    {%- set target_relation = arg_dict['target_relation'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set condition = config.get('meta', {}).get('batch_delete') -%}
    {%- if not condition -%}
        {{ exceptions.raise_compiler_error('replace_batch needs meta.batch_delete on ' ~ target_relation) }}
    {%- endif -%}
    delete from {{ target_relation }} where {{ 'true' if whole_history() else condition }};
    insert into {{ target_relation }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }};
{% endmacro %}


{#- Condition for a table whose rows carry the document's own key: `key_column` is the column that holds it. -#}
{% macro batch_delete_by_key(key_column) -%}
    (configuration_id, {{ key_column }}) in (select configuration_id, external_id from pos_work.int_documents_touched)
{%- endmacro %}


{#- Condition for a table whose rows belong to a transaction. -#}
{% macro batch_delete_by_transaction() -%}
    transaction_id in (
        select t.transaction_id
        from {{ target.schema }}.pos_transactions as t
        inner join pos_work.int_documents_touched as b
            on b.configuration_id = t.configuration_id and b.external_id = t.external_order_id
    )
{%- endmacro %}
