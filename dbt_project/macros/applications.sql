{#- What the application programmes' models share. -#}

{#-
  The date `months` months later; from the 31st to the month's last day, from 29 February to the 28th where there is
  none.
-#}
{% macro months_after(from_date, months) -%}
    cast({{ dbt.dateadd("month", months, from_date) }} as date)
{%- endmacro %}

{#- First day of the month that a policy offset means: 1 = January of `year`, 13 = January of the next. -#}
{% macro offset_month(year, month_offset) -%}
    {{ month_start("(" ~ month_no_at(year, month_offset) ~ ")") }}
{%- endmacro %}

{#- Last day of the same. -#}
{% macro offset_month_end(year, month_offset) -%}
    {{ dbt.last_day(offset_month(year, month_offset), "month") }}
{%- endmacro %}

{#- The `day`-th of the month that `day_in_month` lies in; its last day where the month is shorter. -#}
{% macro day_of_month(day_in_month, day) -%}
    make_date(
        cast(extract(year from {{ day_in_month }}) as integer),
        cast(extract(month from {{ day_in_month }}) as integer),
        cast(least({{ day }}, extract(day from {{ dbt.last_day(day_in_month, "month") }})) as integer)
    )
{%- endmacro %}

{#-
  The rows of a policy table in force in each year of `years`: of each key the newest that began by the year's first day.
  Columns: the table's, and in_force_period_id.
-#}
{% macro in_force_by_year(table, key=[], years="years") -%}
    select in_force.*
    from (
        select
            policy.*,
            years.period_id as in_force_period_id,
            row_number() over (
                partition by years.program_id, years.period_id{% for column in key %}, policy.{{ column }}{% endfor %}

                order by policy.valid_from_on desc
            ) as newest_first
        from {{ source("policy", table) }} as policy
        inner join {{ years }} as years
            on policy.program_id = years.program_id and policy.valid_from_on <= years.starts_on
    ) as in_force
    where in_force.newest_first = 1
{%- endmacro %}

{#- Does an action run on this day? `days` is null (every day of its months) or the name of a rule:
    weekday: Monday to Friday, not 29 December to 3 January; fourth_tuesday: of the month. Public holidays are not tested. -#}
{% macro is_action_day(day, days) -%}
    case {{ days }}
        when 'weekday' then
            {{ iso_weekday(day) }} <= 5
            and not (extract(month from {{ day }}) = 12 and extract(day from {{ day }}) >= 29)
            and not (extract(month from {{ day }}) = 1 and extract(day from {{ day }}) <= 3)
        when 'fourth_tuesday' then
            {{ iso_weekday(day) }} = 2 and extract(day from {{ day }}) between 22 and 28
        else {{ days }} is null
    end
{%- endmacro %}

{#- 1 = Monday … 7 = Sunday. -#}
{% macro iso_weekday(day) -%}
    {{ return(adapter.dispatch("iso_weekday")(day)) }}
{%- endmacro %}

{% macro default__iso_weekday(day) -%}
    extract(isodow from {{ day }})
{%- endmacro %}

{% macro spark__iso_weekday(day) -%}
    (weekday({{ day }}) + 1)
{%- endmacro %}

{#- Lower-case hex SHA-256 of a text's UTF-8 bytes. -#}
{% macro sha256_hex(text) -%}
    {{ return(adapter.dispatch("sha256_hex")(text)) }}
{%- endmacro %}

{% macro default__sha256_hex(text) -%}
    sha256({{ text }})
{%- endmacro %}

{% macro spark__sha256_hex(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}
