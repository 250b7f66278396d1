{#-
  What an evaluation leaves as it was. The build begins with a copy of the published file where code and policy are the
  same; a `carried` table keeps its rows there, its pre_hook takes out those that no longer hold, and its SQL gives the
  rows to put in: of the stale periods and the changed readings only. In an empty file that is everything. What an
  evaluation costs is decided by what it writes; so a month costs a month, not ten years.
-#}
{% materialization carried, adapter="duckdb" %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}

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
    {%- set key = 'period_no' if by_number else 'program_id, period_id' -%}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }} where ({{ key }}) not in (select {{ key }} from {{ inputs }} where not is_stale)
    {%- endif -%}
{%- endmacro %}

{#- Delete the readings of changed months and of changed units; by unit_key and month_no. -#}
{% macro forget_changed_readings() -%}
    {%- set months = ref('int_reading_months') -%}
    {%- set units = ref('int_changed_units') -%}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }}
        where
            month_no in (select month_no from {{ months }} where is_changed)
            or unit_key in (select unit_key from {{ units }})
    {%- endif -%}
{%- endmacro %}

{#- The same in the mart, where rows go by name, and all of application programmes, which are always made anew. -#}
{% macro forget_changed_usage() -%}
    {%- set months = ref('int_reading_months') -%}
    {%- set units = ref('int_changed_units') -%}
    {%- set applications = source('policy', 'application_rules') -%}
    {%- if load_cached_relation(this) is not none -%}
        delete from {{ this }}
        where
            usage_month in (select usage_month from {{ months }} where is_changed)
            or (program_id, participant_id, utility) in (select program_id, participant_id, utility from {{ units }})
            or program_id in (select program_id from {{ applications }})
    {%- endif -%}
{%- endmacro %}

{#- The only join on text: after it a meter is a number. -#}
{% macro is_meter_of(readings, units) -%}
    {{ readings }}.program_id = {{ units }}.program_id
    and {{ readings }}.provider = {{ units }}.provider
    and {{ readings }}.utility = {{ units }}.utility
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
