{#-
  Exact arithmetic. DuckDB keeps DECIMAL(18) * DECIMAL(18) in DECIMAL(18) and stops on overflow, and turns DECIMAL / x
  and avg(DECIMAL) into DOUBLE. So factors are widened first, and the only division is one of integers.
-#}

{#- Product of two decimals with up to 6 decimals each; 12 decimals, not rounded. -#}
{% macro product(left, right) -%}
    (cast({{ left }} as decimal(38, 6)) * {{ right }})
{%- endmacro %}

{#- The figure as it is stored: 6 decimals, rounded half away from zero. -#}
{% macro stored(figure) -%}
    cast(round({{ figure }}, 6) as decimal(18, 6))
{%- endmacro %}

{#- A decimal as a whole number of millionths. -#}
{% macro micros(figure) -%}
    cast(cast({{ figure }} as decimal(38, 6)) * 1000000 as hugeint)
{%- endmacro %}

{#- A whole number of millionths as a decimal. -#}
{% macro from_micros(whole) -%}
    cast(cast({{ whole }} as hugeint) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6))
{%- endmacro %}

{#- Quotient of two whole numbers cut toward zero; null where the divisor is 0. -#}
{% macro whole_quotient(dividend, divisor) -%}
    (cast({{ dividend }} as hugeint) // nullif({{ divisor }}, 0))
{%- endmacro %}

{#- Quotient of two whole numbers (divisor >= 0) rounded half away from zero; null where the divisor is 0. -#}
{% macro rounded_quotient(dividend, divisor) -%}
    (sign({{ dividend }}) * {{ whole_quotient("2 * abs(" ~ dividend ~ ") + " ~ divisor, "2 * (" ~ divisor ~ ")") }})
{%- endmacro %}

{#- part / whole (decimals) rounded to 6 decimals; null where the whole is 0. -#}
{% macro rate(part, whole) -%}
    {{ from_micros(rounded_quotient(micros(part) ~ " * 1000000", micros(whole))) }}
{%- endmacro %}
