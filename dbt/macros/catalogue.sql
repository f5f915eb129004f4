{#- What the catalogue said about a product when it was sold: sku and category of each (variation, catalog_version).

    Every object in the chain variation → item → category is taken in its newest version not newer than the line's own
    `catalog_version`, else in the oldest that is held. The choice is a function of what is held, so a version that
    arrives late changes exactly the lines that choose it; `load_ids` tells which loads the choice rests on.

    Args:
        uses: name of a query with configuration_id, variation_id, catalog_version (null: the oldest that is held).
        objects: relation with one row per version of a catalogue object.
    Returns: a query with the columns of `uses`, sku, category, load_ids. -#}
{% macro catalogue_choices(uses, objects) -%}
    select
        u.configuration_id, u.variation_id, u.catalog_version,
        variation.label as sku,
        category.label as category,
        array[variation.load_id, item.load_id, category.load_id] as load_ids
    from {{ uses }} as u
    {%- for part, id in [('variation', 'u.variation_id'), ('item', 'variation.parent_id'), ('category', 'item.parent_id')] %}
    left join lateral (
        select c.label, c.parent_id, c.load_id
        from {{ objects }} as c
        where
            c.configuration_id = u.configuration_id
            and c.object_type = '{{ part }}' and c.object_id = {{ id }}
        order by
            coalesce(c.version <= u.catalog_version, false) desc,
            case when c.version <= u.catalog_version then -c.version else c.version end,
            c.external_updated_at desc nulls last, c.read_at desc nulls last, c.content_hash desc, c.label
        limit 1
    ) as {{ part }} on true
    {%- endfor %}
{%- endmacro %}
