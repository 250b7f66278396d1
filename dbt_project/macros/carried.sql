{#-
  What an evaluation leaves as it was. The build begins with a copy of the published file where code and policy are the
  same; a `carried` table keeps its rows there, its pre_hook takes out those that no longer hold, and its SQL gives the
  rows to put in: of the stale periods and the changed readings only. In an empty file that is everything. What an
  evaluation costs is decided by what it writes; so a month costs a month, not ten years.
-#}
{% materialization carried, adapter="duckdb" %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if existing is not none and should_full_refresh() -%}
        {% do adapter.drop_relation(existing) %}
        {%- set existing = none -%}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {%- if existing is none -%}
            {{ create_table_as(False, target, compiled_code) }}
        {%- else -%}
            insert into {{ target }} by name ({{ compiled_code }})
        {%- endif -%}
    {%- endcall %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Delete the rows of stale or vanished periods. -#}
{% macro forget_stale_periods(by_number=false) -%}
    {%- set inputs = ref('int_period_inputs') -%}
    {%- set published = source('lake', 'published_period_inputs') -%}
    {%- set key = 'period_no' if by_number else 'program_id, period_id' -%}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }}
        where ({{ key }}) in (
            select {{ key }} from {{ inputs }} where is_stale
            union all
            (select {{ key }} from {{ published }} except select {{ key }} from {{ inputs }})
        )
    {%- endif -%}
{%- endmacro %}

{#-
  Delete the readings of changed months, or of changed units. One statement each: a semi-join with a list that is empty
  reads nothing, where an `or` looks every row up in both.
-#}
{% macro forget_months(column) -%}
    {%- set months = ref('int_reading_months') -%}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }} where {{ column }} in (select {{ column }} from {{ months }} where is_changed)
    {%- endif -%}
{%- endmacro %}

{% macro forget_units(columns) -%}
    {%- set units = ref('int_changed_units') -%}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }} where ({{ columns }}) in (select {{ columns }} from {{ units }})
    {%- endif -%}
{%- endmacro %}

{#- Application programmes are always made anew. -#}
{% macro forget_applications() -%}
    {%- set applications = source('policy', 'application_rules') -%}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }} where program_id in (select program_id from {{ applications }})
    {%- endif -%}
{%- endmacro %}

{#-
  The only join on text: after it a meter is a number. Programme, provider and utility, of which there are a few dozen
  together, are compared by their hash, which takes a fifth off the join (hashes_differ).
-#}
{% macro is_meter_of(readings, units) -%}
    hash({{ readings }}.program_id, {{ readings }}.provider, {{ readings }}.utility)
    = hash({{ units }}.program_id, {{ units }}.provider, {{ units }}.utility)
    and {{ readings }}.meter_key = {{ units }}.meter_key
{%- endmacro %}

{#- Of a carried relation the rows just put in; key says how they name their period. -#}
{% macro stale_rows(relation, key) -%}
    (
        select *
        from {{ relation }}
        where ({{ key }}) in (select {{ key }} from {{ ref('int_period_inputs') }} where is_stale)
    )
{%- endmacro %}
